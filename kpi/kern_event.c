/*
 * sys/kern_event.h: kexts post events of vendors they made codes for. The engine is
 * src/kern/kern_event.c.
 */
#include <string.h>
#include <sys/kern_event.h>

#include "src/kern/kern_event.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/string_id.h"
#include "src/kern/thread.h"

errno_t
kev_vendor_code_find(const char *vendor_string, u_int32_t *vendor_code)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	if (vendor_string == NULL || vendor_code == NULL)
		return EINVAL;
	if (strnlen(vendor_string, KEV_VENDOR_CODE_MAX_STR_LEN) >= KEV_VENDOR_CODE_MAX_STR_LEN)
		return EINVAL;
	return string_id_find(curmachine(), vendor_string, STRING_ID_VENDOR, vendor_code);
}

/* Apple's vendor code is the kernel's own and refused, like any that was never handed out. */
errno_t
kev_msg_post(struct kev_msg *event_msg)
{
	struct nke *m = curmachine();

	KPI_RULES(KPI_SLEEPS, NULL);
	if (event_msg == NULL || !string_id_valid(m, event_msg->vendor_code, STRING_ID_VENDOR))
		return EINVAL;
	return kev_post(m, event_msg);
}
