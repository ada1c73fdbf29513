/*
 * Versions of kexts: "MAJOR[.MINOR[.REVISION]][STAGE LEVEL]", where MAJOR has up to four digits,
 * MINOR and REVISION up to two, STAGE is d, a, b, f or fc and LEVEL 1 to 255. Used by the loader
 * on both sides of the door.
 */
#include "src/kern/kextcalls.h"

/* Reads up to `digits` decimal digits; false when there is none or one too many. */
static bool
number_read(const char **p, unsigned digits, uint64_t *value)
{
	unsigned n = 0;

	for (*value = 0; **p >= '0' && **p <= '9'; (*p)++, n++)
		*value = n < digits ? *value * 10 + (uint64_t)(**p - '0') : *value;
	return n > 0 && n <= digits;
}

/* Development, alpha, beta, candidate, release: in that order. */
static bool
stage_read(const char **p, uint64_t *stage)
{
	switch (**p) {
	case 'd':
		*stage = 1;
		break;
	case 'a':
		*stage = 3;
		break;
	case 'b':
		*stage = 5;
		break;
	case 'f':
		*stage = 7;
		if ((*p)[1] == 'c')
			(*p)++;
		break;
	default:
		return false;
	}
	(*p)++;
	return true;
}

bool
kext_version_parse(const char *text, uint64_t *number)
{
	uint64_t major, minor = 0, revision = 0, stage = 9, level = 0;
	const char *p = text;

	*number = 0;
	if (!number_read(&p, 4, &major))
		return false;
	if (*p == '.') {
		p++;
		if (!number_read(&p, 2, &minor))
			return false;
		if (*p == '.') {
			p++;
			if (!number_read(&p, 2, &revision))
				return false;
		}
	}
	if (*p != '\0') {
		if (!stage_read(&p, &stage) || !number_read(&p, 3, &level) || level < 1 || level > 255)
			return false;
	}
	if (*p != '\0')
		return false;
	*number = (((major * 100 + minor) * 100 + revision) * 10 + stage) * 256 + level;
	return true;
}
