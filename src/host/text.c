/* Putting messages together, for the parts of the host that look into kexts. */
#include <stdarg.h>
#include <string.h>

#include "src/host/text.h"

static void
add(struct kext_text *text, const char *fmt, va_list ap)
{
	size_t used = strlen(text->text);

	vsnprintf(text->text + used, text->size - used, fmt, ap);
}

void
text_add(struct kext_text *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(text, fmt, ap);
	va_end(ap);
}

int
text_fail(struct kext_text *text, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(text, fmt, ap);
	va_end(ap);
	return error;
}

char *
text_new(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return s;
}
