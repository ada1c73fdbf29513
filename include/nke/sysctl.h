/*
 * A machine's variables with names: BSD's ("net.inet.ip.forwarding") and those that kexts bring.
 */
#ifndef NKE_SYSCTL_H
#define NKE_SYSCTL_H

#include <nke/nke.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * As sysctlbyname(3): `*old_len` is the room at `old` before and the size of the value after; both may
 * be NULL. `new_value` NULL: nothing is set. Values are as a kext sees them: numbers are an int, or
 * what the variable says.
 *
 * ENOENT: no such variable, or a branch of the tree. EISDIR: the name goes on below a variable. EPERM:
 * cannot be set. ENOMEM: `old` is too small. EINVAL: not a value for it. EFAULT. nke_error_text(m)
 * tells.
 */
int nke_sysctl(nke_t *m, const char *name, void *old, size_t *old_len, const void *new_value, size_t new_len);
/*
 * How the variable's value is to be read, as it says itself: "I" and "IU" are int, "L", "LU", "Q" and "QU"
 * are 64 bits, "A" is text with a NUL, "S,timeval" is that struct of the machine's, "N" is a branch; "" it
 * does not say. At most size - 1 bytes and a NUL. ENOENT, EISDIR, EFAULT.
 */
int nke_sysctl_format(nke_t *m, const char *name, char *format, size_t size);
/* The same as nke_sysctl for an int. */
int nke_sysctl_set_int(nke_t *m, const char *name, int value);
int nke_sysctl_get_int(nke_t *m, const char *name, int *value);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
