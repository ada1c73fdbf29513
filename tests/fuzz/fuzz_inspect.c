/* Fuzz target: a file that is said to be a kext's image. */
#include <nke/kext.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nke_kext_info *info = NULL;
	char path[64], text[1024];
	int fd = memfd_create("image", 0);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (nke_kext_inspect(path, &info, text, sizeof text) == 0)
		nke_kext_info_free(info);
	close(fd);
	return 0;
}
