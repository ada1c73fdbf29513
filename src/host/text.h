/* Long messages put together piece by piece; what does not fit is cut. */
#ifndef NKE_HOST_TEXT_H
#define NKE_HOST_TEXT_H

#include <stdio.h>
#include <stdlib.h>

#include "src/kern/kextcalls.h"

void text_add(struct kext_text *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds the message and returns `error`. */
int text_fail(struct kext_text *, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* printf into fresh memory; NULL when there is none. */
char *text_new(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
