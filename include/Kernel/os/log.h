/*
 * Unified logging: messages with a type and a place. They go to the machine's log; %{public}s and
 * its like are understood, and nothing is redacted.
 */
#ifndef _OS_LOG_H_
#define _OS_LOG_H_

#include <os/base.h>
#include <stdarg.h>

typedef struct os_log_s *os_log_t;

#define OS_LOG_DEFAULT (&_os_log_default)
#define OS_LOG_DISABLED ((os_log_t)0)

typedef uint8_t os_log_type_t;
enum {
	OS_LOG_TYPE_DEFAULT = 0x00,
	OS_LOG_TYPE_INFO = 0x01,
	OS_LOG_TYPE_DEBUG = 0x02,
	OS_LOG_TYPE_ERROR = 0x10,
	OS_LOG_TYPE_FAULT = 0x11
};

__BEGIN_DECLS

extern struct os_log_s _os_log_default;

/* A handle. All are alike here: what tells lines apart is the kext that says them. Never NULL. */
os_log_t os_log_create(const char *subsystem, const char *category);
/* With a destination, whether such messages are kept. */
bool os_log_info_enabled(os_log_t log);
bool os_log_debug_enabled(os_log_t log);
/* What the macros call; `dso` is not looked at. Never sleeps. */
void _os_log_internal(void *dso, os_log_t log, os_log_type_t type, const char *message, ...);

__END_DECLS

#define os_log_with_type(log, type, format, ...) \
	_os_log_internal((void *)0, (log), (type), (format), ##__VA_ARGS__)
#define os_log(log, format, ...) \
	os_log_with_type((log), OS_LOG_TYPE_DEFAULT, (format), ##__VA_ARGS__)
#define os_log_info(log, format, ...) \
	os_log_with_type((log), OS_LOG_TYPE_INFO, (format), ##__VA_ARGS__)
#define os_log_debug(log, format, ...) \
	os_log_with_type((log), OS_LOG_TYPE_DEBUG, (format), ##__VA_ARGS__)
#define os_log_error(log, format, ...) \
	os_log_with_type((log), OS_LOG_TYPE_ERROR, (format), ##__VA_ARGS__)
#define os_log_fault(log, format, ...) \
	os_log_with_type((log), OS_LOG_TYPE_FAULT, (format), ##__VA_ARGS__)

#endif
