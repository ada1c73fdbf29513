/* Bytes as people write and read them: values of options, messages of kernel controls. Used by ctl.c. */
#ifndef NKE_CMD_CONTROL_VALUE_H
#define NKE_CMD_CONTROL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_form {
	VALUE_ANY,			/* read as text; written as text, or as a dump if it is none */
	VALUE_STRING,			/* the bytes as they are */
	VALUE_INT,			/* 32 bits in the host's byte order; many, when written */
	VALUE_HEX			/* two digits for each byte */
};

/* Reads `text`. False: it is not of that form, or longer than `room`; `complaint` says what was expected. */
bool value_read(enum value_form, const char *text, void *data, size_t room, size_t *len,
    const char **complaint);
/* Writes a line (a dump: several) to standard output. */
void value_print(enum value_form, const void *data, size_t len);

#endif
