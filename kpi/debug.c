/* kern/debug.h, kern/assert.h, and the debugger's entries: all end in the machine's panic. */
#include <IOKit/IOLib.h>
#include <kern/assert.h>
#include <kern/debug.h>
#include <pexpert/pexpert.h>
#include <stdarg.h>
#include <string.h>

#include "src/kern/klog.h"
#include "src/kern/panic.h"

void
panic(const char *string, ...)
{
	char text[1024];
	size_t len;
	va_list ap;

	va_start(ap, string);
	kvsnprintf(text, sizeof text, string, ap);
	va_end(ap);
	len = strlen(text);
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	kpanic("%s", text);
}

void
Assert(const char *file, int line, const char *expression)
{
	kpanic("assertion failed: %s, at %s:%d", expression, file, line);
}

void
Debugger(const char *reason)
{
	kpanic("Debugger: %s", reason);
}

int
PE_enter_debugger(const char *cause)
{
	kpanic("PE_enter_debugger: %s", cause);
}
