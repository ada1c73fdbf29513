/*
 * The names that __KERNEL_SYMBOL gives another symbol (sys/cdefs.h), for kexts that use one without its
 * header: an own `extern int hz;`, or a function that C declares by itself where it is called.
 */
#ifndef _SYS__SYMBOL_NAMES_H_
#define _SYS__SYMBOL_NAMES_H_

#ifdef __clang__
/* It would warn of everything local that has such a name. */
#pragma clang diagnostic ignored "-Wpragmas"
#endif

#pragma redefine_extname atoi kern_atoi
#pragma redefine_extname bcmp kern_bcmp
#pragma redefine_extname bcopy kern_bcopy
#pragma redefine_extname bzero kern_bzero
#pragma redefine_extname crc32 kern_crc32
#pragma redefine_extname domainname kern_domainname
#pragma redefine_extname domainnamelen kern_domainnamelen
#pragma redefine_extname ffs kern_ffs
#pragma redefine_extname ffsll kern_ffsll
#pragma redefine_extname fls kern_fls
#pragma redefine_extname flsll kern_flsll
#pragma redefine_extname hostname kern_hostname
#pragma redefine_extname hostnamelen kern_hostnamelen
#pragma redefine_extname hz kern_hz
#pragma redefine_extname inet_aton kern_inet_aton
#pragma redefine_extname inet_ntoa kern_inet_ntoa
#pragma redefine_extname inet_ntoa_r kern_inet_ntoa_r
#pragma redefine_extname inet_ntop kern_inet_ntop
#pragma redefine_extname inet_pton kern_inet_pton
#pragma redefine_extname log kern_log
#pragma redefine_extname max_mem kern_max_mem
#pragma redefine_extname mem_size kern_mem_size
#pragma redefine_extname memchr kern_memchr
#pragma redefine_extname memset_s kern_memset_s
#pragma redefine_extname osbuilder kern_osbuilder
#pragma redefine_extname osrelease kern_osrelease
#pragma redefine_extname ostype kern_ostype
#pragma redefine_extname printf kern_printf
#pragma redefine_extname qsort kern_qsort
#pragma redefine_extname random kern_random
#pragma redefine_extname sleep kern_sleep
#pragma redefine_extname snprintf kern_snprintf
#pragma redefine_extname sprintf kern_sprintf
#pragma redefine_extname sscanf kern_sscanf
#pragma redefine_extname strcasecmp kern_strcasecmp
#pragma redefine_extname strcat kern_strcat
#pragma redefine_extname strchr kern_strchr
#pragma redefine_extname strcmp kern_strcmp
#pragma redefine_extname strcpy kern_strcpy
#pragma redefine_extname strlcat kern_strlcat
#pragma redefine_extname strlcpy kern_strlcpy
#pragma redefine_extname strlen kern_strlen
#pragma redefine_extname strncasecmp kern_strncasecmp
#pragma redefine_extname strncat kern_strncat
#pragma redefine_extname strncmp kern_strncmp
#pragma redefine_extname strncpy kern_strncpy
#pragma redefine_extname strnlen kern_strnlen
#pragma redefine_extname strnstr kern_strnstr
#pragma redefine_extname strprefix kern_strprefix
#pragma redefine_extname strrchr kern_strrchr
#pragma redefine_extname strsep kern_strsep
#pragma redefine_extname strstr kern_strstr
#pragma redefine_extname strtol kern_strtol
#pragma redefine_extname strtoq kern_strtoq
#pragma redefine_extname strtoul kern_strtoul
#pragma redefine_extname strtouq kern_strtouq
#pragma redefine_extname sysctlbyname kern_sysctlbyname
#pragma redefine_extname tick kern_tick
#pragma redefine_extname tk_cancc kern_tk_cancc
#pragma redefine_extname tk_nin kern_tk_nin
#pragma redefine_extname tk_nout kern_tk_nout
#pragma redefine_extname tk_rawcc kern_tk_rawcc
#pragma redefine_extname uuid_clear kern_uuid_clear
#pragma redefine_extname uuid_compare kern_uuid_compare
#pragma redefine_extname uuid_copy kern_uuid_copy
#pragma redefine_extname uuid_generate kern_uuid_generate
#pragma redefine_extname uuid_generate_random kern_uuid_generate_random
#pragma redefine_extname uuid_generate_time kern_uuid_generate_time
#pragma redefine_extname uuid_is_null kern_uuid_is_null
#pragma redefine_extname uuid_parse kern_uuid_parse
#pragma redefine_extname uuid_unparse kern_uuid_unparse
#pragma redefine_extname uuid_unparse_lower kern_uuid_unparse_lower
#pragma redefine_extname uuid_unparse_upper kern_uuid_unparse_upper
#pragma redefine_extname version kern_version
#pragma redefine_extname version_major kern_version_major
#pragma redefine_extname version_minor kern_version_minor
#pragma redefine_extname version_prerelease_level kern_version_prerelease_level
#pragma redefine_extname version_revision kern_version_revision
#pragma redefine_extname version_stage kern_version_stage
#pragma redefine_extname version_variant kern_version_variant
#pragma redefine_extname vprintf kern_vprintf
#pragma redefine_extname vsnprintf kern_vsnprintf
#pragma redefine_extname vsprintf kern_vsprintf
#pragma redefine_extname vsscanf kern_vsscanf

#endif
