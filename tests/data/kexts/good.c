/* A kext that does everything right: allocates at start, frees at stop, counts in private data. */
#include <libkern/OSMalloc.h>
#include <libkern/libkern.h>
#include <mach/mach_types.h>
#include <sys/systm.h>

kern_return_t good_start(kmod_info_t *ki, void *data);
kern_return_t good_stop(kmod_info_t *ki, void *data);
int good_number(int n);

static OSMallocTag tag;
static void *block;
static int starts;

int
good_number(int n)
{
	return n + starts;
}

kern_return_t
good_start(kmod_info_t *ki, void *data)
{
#if defined(__linux__) || defined(__unix__) || !defined(__APPLE__) || !defined(KERNEL)
#error "this is no Mac's kernel build"
#endif
	(void)data;
	tag = OSMalloc_Tagalloc("com.example.good", OSMT_DEFAULT);
	if (tag == NULL)
		return KERN_RESOURCE_SHORTAGE;
	block = OSMalloc(100, tag);
	if (block == NULL) {
		OSMalloc_Tagfree(tag);
		return KERN_FAILURE;
	}
	printf("%s %s, start number %d\n", ki->name, ki->version, ++starts);
	return KERN_SUCCESS;
}

kern_return_t
good_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	OSFree(block, 100, tag);
	OSMalloc_Tagfree(tag);
	printf("stopped\n");
	return KERN_SUCCESS;
}
