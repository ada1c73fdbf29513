/*
 * Apple's macros for checks: "check" only tells, "verify" evaluates what it checks even when it does not
 * tell, "require" jumps to a label. Each has variants: "noerr" wants a 0, "string" adds a message, "action"
 * does something before the jump, "quiet" does not tell, and "n..." wants the opposite.
 *
 * Told is in builds that do not define DEBUG_ASSERT_PRODUCTION_CODE to 1; that is the default without DEBUG.
 */
#ifndef __ASSERTMACROS__
#define __ASSERTMACROS__

#include <libkern/libkern.h>

#ifndef DEBUG_ASSERT_COMPONENT_NAME_STRING
#define DEBUG_ASSERT_COMPONENT_NAME_STRING "Third Party Client"
#endif

#ifndef DEBUG_ASSERT_PRODUCTION_CODE
#if defined(DEBUG) && DEBUG
#define DEBUG_ASSERT_PRODUCTION_CODE 0
#else
#define DEBUG_ASSERT_PRODUCTION_CODE 1
#endif
#endif

#ifndef DEBUG_ASSERT_MESSAGE
#define DEBUG_ASSERT_MESSAGE(component, assertion, label, error, file, line, code) \
	printf("%s: %s%s%s%s%s (%s:%d)\n", component, assertion, (label) != NULL ? ", to " : "", \
	    (label) != NULL ? (const char *)(label) : "", (error) != NULL ? ": " : "", \
	    (error) != NULL ? (const char *)(error) : "", file, (int)(line))
#endif

#if DEBUG_ASSERT_PRODUCTION_CODE
#define __NKE_TELL(assertion, label, message, code)	((void)0)
#define __NKE_CHECK(condition, text, message, code)	((void)0)
#else
#define __NKE_TELL(assertion, label, message, code) \
	DEBUG_ASSERT_MESSAGE(DEBUG_ASSERT_COMPONENT_NAME_STRING, assertion, label, message, __FILE__, \
	    __LINE__, code)
#define __NKE_CHECK(condition, text, message, code) do { \
	if (__builtin_expect(!(condition), 0)) \
		__NKE_TELL(text, (const char *)0, message, code); \
} while (0)
#endif

#define __NKE_VERIFY(condition, text, message, code, action) do { \
	if (__builtin_expect(!(condition), 0)) { \
		__NKE_TELL(text, (const char *)0, message, code); \
		action; \
	} \
} while (0)
#define __NKE_REQUIRE(condition, text, label, message, code, action) do { \
	if (__builtin_expect(!(condition), 0)) { \
		__NKE_TELL(text, #label, message, code); \
		{ \
			action; \
		} \
		goto label; \
	} \
} while (0)
#define __NKE_QUIET(condition, label, action) do { \
	if (__builtin_expect(!(condition), 0)) { \
		{ \
			action; \
		} \
		goto label; \
	} \
} while (0)
#define __NKE_NONE	((const char *)0)

#define __Debug_String(message)	__NKE_TELL("", __NKE_NONE, message, 0)
#define __Check_Compile_Time(e)	extern int compile_time_assert_failed[(e) ? 1 : -1] __attribute__((unused))

#define __Check(a)				__NKE_CHECK(a, #a, __NKE_NONE, 0)
#define __nCheck(a)				__Check(!(a))
#define __Check_String(a, message)		__NKE_CHECK(a, #a, message, 0)
#define __nCheck_String(a, message)		__Check_String(!(a), message)
#define __Check_noErr(e)			__NKE_CHECK((e) == 0, #e " == 0", __NKE_NONE, 0)
#define __Check_noErr_String(e, message)	__NKE_CHECK((e) == 0, #e " == 0", message, 0)

#define __Verify(a)				__NKE_VERIFY(a, #a, __NKE_NONE, 0, )
#define __nVerify(a)				__Verify(!(a))
#define __Verify_String(a, message)		__NKE_VERIFY(a, #a, message, 0, )
#define __nVerify_String(a, message)		__Verify_String(!(a), message)
#define __Verify_noErr(e)			__NKE_VERIFY((e) == 0, #e " == 0", __NKE_NONE, 0, )
#define __Verify_noErr_String(e, message)	__NKE_VERIFY((e) == 0, #e " == 0", message, 0, )
#define __Verify_Action(a, action)		__NKE_VERIFY(a, #a, __NKE_NONE, 0, action)
#define __Verify_noErr_Action(e, action)	__NKE_VERIFY((e) == 0, #e " == 0", __NKE_NONE, 0, action)

#define __Require(a, label)			__NKE_REQUIRE(a, #a, label, __NKE_NONE, 0, )
#define __nRequire(a, label)			__Require(!(a), label)
#define __Require_Quiet(a, label)		__NKE_QUIET(a, label, )
#define __nRequire_Quiet(a, label)		__Require_Quiet(!(a), label)
#define __Require_String(a, label, message)	__NKE_REQUIRE(a, #a, label, message, 0, )
#define __nRequire_String(a, label, message)	__Require_String(!(a), label, message)
#define __Require_Action(a, label, action)	__NKE_REQUIRE(a, #a, label, __NKE_NONE, 0, action)
#define __nRequire_Action(a, label, action)	__Require_Action(!(a), label, action)
#define __Require_Action_Quiet(a, label, action)	__NKE_QUIET(a, label, action)
#define __nRequire_Action_Quiet(a, label, action)	__Require_Action_Quiet(!(a), label, action)
#define __Require_Action_String(a, label, action, message) \
	__NKE_REQUIRE(a, #a, label, message, 0, action)
#define __nRequire_Action_String(a, label, action, message) \
	__Require_Action_String(!(a), label, action, message)
#define __Require_noErr(e, label)		__NKE_REQUIRE((e) == 0, #e " == 0", label, __NKE_NONE, 0, )
#define __Require_noErr_Quiet(e, label)		__NKE_QUIET((e) == 0, label, )
#define __Require_noErr_String(e, label, message) \
	__NKE_REQUIRE((e) == 0, #e " == 0", label, message, 0, )
#define __Require_noErr_Action(e, label, action) \
	__NKE_REQUIRE((e) == 0, #e " == 0", label, __NKE_NONE, 0, action)
#define __Require_noErr_Action_Quiet(e, label, action)	__NKE_QUIET((e) == 0, label, action)
#define __Require_noErr_Action_String(e, label, action, message) \
	__NKE_REQUIRE((e) == 0, #e " == 0", label, message, 0, action)

/* The names of always; 0 in this macro spares a source those that are its own as well. */
#ifndef __ASSERT_MACROS_DEFINE_VERSIONS_WITHOUT_UNDERSCORES
#define __ASSERT_MACROS_DEFINE_VERSIONS_WITHOUT_UNDERSCORES 1
#endif
#if __ASSERT_MACROS_DEFINE_VERSIONS_WITHOUT_UNDERSCORES
#define debug_string			__Debug_String
#define check_compile_time		__Check_Compile_Time
#define check				__Check
#define ncheck				__nCheck
#define check_string			__Check_String
#define ncheck_string			__nCheck_String
#define check_noerr			__Check_noErr
#define check_noerr_string		__Check_noErr_String
#define verify				__Verify
#define nverify				__nVerify
#define verify_string			__Verify_String
#define nverify_string			__nVerify_String
#define verify_noerr			__Verify_noErr
#define verify_noerr_string		__Verify_noErr_String
#define verify_action			__Verify_Action
#define verify_noerr_action		__Verify_noErr_Action
#define require				__Require
#define nrequire			__nRequire
#define require_quiet			__Require_Quiet
#define nrequire_quiet			__nRequire_Quiet
#define require_string			__Require_String
#define nrequire_string			__nRequire_String
#define require_action			__Require_Action
#define nrequire_action			__nRequire_Action
#define require_action_quiet		__Require_Action_Quiet
#define nrequire_action_quiet		__nRequire_Action_Quiet
#define require_action_string		__Require_Action_String
#define nrequire_action_string		__nRequire_Action_String
#define require_noerr			__Require_noErr
#define require_noerr_quiet		__Require_noErr_Quiet
#define require_noerr_string		__Require_noErr_String
#define require_noerr_action		__Require_noErr_Action
#define require_noerr_action_quiet	__Require_noErr_Action_Quiet
#define require_noerr_action_string	__Require_noErr_Action_String
#endif

#endif
