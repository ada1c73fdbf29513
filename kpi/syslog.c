/* sys/syslog.h and os/log.h: messages with a priority into the machine's log. */
#include <os/log.h>
#include <sys/syslog.h>

#include "src/kern/klog.h"
#include "src/kern/thread.h"

void
log(int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	klog_vprint(curmachine(), LOG_PRI(level), fmt, ap);
	va_end(ap);
}

/* ---- os_log ------------------------------------------------------------------------------- */

static int
level_of(os_log_type_t type)
{
	switch (type) {
	case OS_LOG_TYPE_INFO:
		return LOG_INFO;
	case OS_LOG_TYPE_DEBUG:
		return LOG_DEBUG;
	case OS_LOG_TYPE_ERROR:
		return LOG_ERR;
	case OS_LOG_TYPE_FAULT:
		return LOG_CRIT;
	default:
		return LOG_NOTICE;
	}
}

/* Every handle is as good as another: what tells lines apart is the kext that says them. */
os_log_t
os_log_create(const char *subsystem, const char *category)
{
	(void)subsystem;
	(void)category;
	return OS_LOG_DEFAULT;
}

bool
os_log_info_enabled(os_log_t log_)
{
	return log_ != OS_LOG_DISABLED;
}

bool
os_log_debug_enabled(os_log_t log_)
{
	return log_ != OS_LOG_DISABLED;
}

/* A message is a line of its own, with or without a newline. */
void
_os_log_internal(void *dso, os_log_t log_, os_log_type_t type, const char *message, ...)
{
	va_list ap;

	(void)dso;
	if (log_ == OS_LOG_DISABLED)
		return;
	va_start(ap, message);
	klog_vline(curmachine(), level_of(type), message, ap);
	va_end(ap);
}
