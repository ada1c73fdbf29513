/* The same as sys/errno.h. */
#include <sys/errno.h>
