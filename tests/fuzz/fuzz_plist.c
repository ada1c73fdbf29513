/* Fuzz target: the property list of a bundle whose executable is missing. */
#include <fcntl.h>
#include <nke/kext.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char bundle[64], contents[96], plist[128];
	struct nke_kext_info *info = NULL;
	char text[1024];
	int fd;

	if (bundle[0] == '\0') {
		snprintf(bundle, sizeof bundle, "/tmp/fuzz-plist-%d.kext", (int)getpid());
		snprintf(contents, sizeof contents, "%s/Contents", bundle);
		snprintf(plist, sizeof plist, "%s/Info.plist", contents);
		if (mkdir(bundle, 0700) != 0 || mkdir(contents, 0700) != 0)
			abort();
	}
	fd = open(plist, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	if (nke_kext_inspect(bundle, &info, text, sizeof text) == 0)
		nke_kext_info_free(info);
	return 0;
}
