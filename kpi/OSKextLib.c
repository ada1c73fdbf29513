/* libkern/OSKextLib.h: what a kext is called, and keeping one loaded. Called by kexts. */
#include <libkern/OSKextLib.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"

/* ---- the caller --------------------------------------------------------------------------- */

OSKextLoadTag
OSKextGetCurrentLoadTag(void)
{
	const struct kext *k = gate_kext();

	return k != NULL ? k->id : kOSKextInvalidLoadTag;
}

const char *
OSKextGetCurrentIdentifier(void)
{
	const struct kext *k = gate_kext();

	return k != NULL ? k->identifier : NULL;
}

const char *
OSKextGetCurrentVersionString(void)
{
	const struct kext *k = gate_kext();

	return k != NULL ? k->version : NULL;
}

/* ---- keeping one loaded ------------------------------------------------------------------- */

OSReturn
OSKextRetainKextWithLoadTag(OSKextLoadTag loadTag)
{
	struct kext *k = kext_find_id(curmachine(), loadTag);

	if (k == NULL)
		return kOSKextReturnNotFound;
	kext_retain(k);
	return kOSReturnSuccess;
}

OSReturn
OSKextReleaseKextWithLoadTag(OSKextLoadTag loadTag)
{
	struct kext *k = kext_find_id(curmachine(), loadTag);

	if (k == NULL)
		return kOSKextReturnNotFound;
	kext_release(k);
	return kOSReturnSuccess;
}
