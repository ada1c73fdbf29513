/* kpi/OSKextLib.c: a kext asks who it is, and keeps itself or another from being unloaded. */
#include <libkern/OSKextLib.h>
#include <string.h>

#include "src/kern/kext.h"
#include "src/kern/thread.h"
#include "tests/unit/ktest.h"

static OSKextLoadTag tag;
static char identifier[64], version[64], text[1024];

static int
who_am_i(void *kmod, void *data)
{
	const kmod_info_t *info = kmod;

	(void)data;
	tag = OSKextGetCurrentLoadTag();
	CHECK_EQ(tag, info->id);
	strlcpy(identifier, OSKextGetCurrentIdentifier(), sizeof identifier);
	strlcpy(version, OSKextGetCurrentVersionString(), sizeof version);
	return KERN_SUCCESS;
}

static struct kext *
load(const char *name, const char *number)
{
	struct kext_params params = {.identifier = name, .version = number, .start = who_am_i};
	struct kext_text out = {text, sizeof text};
	struct kext *k;

	CHECK_EQ(kext_load(curmachine(), &params, &k, &out), 0);
	return k;
}

static int
unload(struct kext *k)
{
	struct kext_text out = {text, sizeof text};
	unsigned leaks;

	text[0] = '\0';
	return kext_unload(curmachine(), k, &leaks, &out);
}

KTEST(a_kext_learns_who_it_is)
{
	struct kext *a = load("com.example.a", "1.2.3");
	OSKextLoadTag first = tag;
	struct kext *b;

	CHECK_STR(identifier, "com.example.a");
	CHECK_STR(version, "1.2.3");
	b = load("com.example.b", "4.0");
	CHECK_STR(identifier, "com.example.b");
	CHECK_STR(version, "4.0");
	CHECK(tag != first && tag != kOSKextInvalidLoadTag);
	CHECK_EQ(unload(a), 0);
	CHECK_EQ(unload(b), 0);
}

KTEST(without_a_kext_nobody_is_named)
{
	CHECK_EQ(OSKextGetCurrentLoadTag(), kOSKextInvalidLoadTag);
	CHECK(OSKextGetCurrentIdentifier() == NULL);
	CHECK(OSKextGetCurrentVersionString() == NULL);
}

KTEST(a_retained_kext_is_not_stopped)
{
	struct kext *k = load("com.example.a", "1.0");

	CHECK_EQ(OSKextRetainKextWithLoadTag(tag), kOSReturnSuccess);
	CHECK_EQ(OSKextRetainKextWithLoadTag(tag), kOSReturnSuccess);
	CHECK_EQ(unload(k), EBUSY);
	CHECK(strstr(text, "com.example.a cannot be unloaded: it is retained 2 times") != NULL);
	CHECK_EQ(OSKextReleaseKextWithLoadTag(tag), kOSReturnSuccess);
	CHECK_EQ(unload(k), EBUSY);
	CHECK(strstr(text, "it is retained 1 time (") != NULL);
	CHECK_EQ(OSKextReleaseKextWithLoadTag(tag), kOSReturnSuccess);
	CHECK_EQ(unload(k), 0);
	CHECK_EQ(OSKextRetainKextWithLoadTag(tag), kOSKextReturnNotFound);
	CHECK_EQ(OSKextReleaseKextWithLoadTag(kOSKextInvalidLoadTag), kOSKextReturnNotFound);
}

KTEST_PANICS(a_release_too_many_is_named, "com.example.a is released, but nobody retains it")
{
	(void)load("com.example.a", "1.0");
	(void)OSKextReleaseKextWithLoadTag(tag);
}

KTEST_SUITE(oskextlib, T(a_kext_learns_who_it_is), T(without_a_kext_nobody_is_named),
    T(a_retained_kext_is_not_stopped), T(a_release_too_many_is_named));
