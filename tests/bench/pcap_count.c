/* The yardstick of replay: reads a capture with pcap_next_ex and counts, nothing else. */
#include <pcap/pcap.h>
#include <stdio.h>
#include <time.h>

int
main(int argc, char **argv)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const u_char *data;
	struct timespec a, b;
	unsigned long packets = 0, bytes = 0;
	pcap_t *p;

	if (argc != 2) {
		fprintf(stderr, "usage: pcap_count CAPTURE\n");
		return 1;
	}
	p = pcap_open_offline(argv[1], errbuf);
	if (p == NULL) {
		fprintf(stderr, "pcap_count: %s\n", errbuf);
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	while (pcap_next_ex(p, &h, &data) == 1) {
		packets++;
		bytes += h->caplen;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%lu packets, %lu bytes, %.6f s\n", packets, bytes,
	    (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	pcap_close(p);
	return 0;
}
