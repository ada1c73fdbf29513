/*
 * Devices of the host as interfaces of a machine, by libpcap: the machine sees every frame that the
 * device sees and sends frames of its own there, beside the host's kernel, which goes on using it.
 *
 * The machine must be one in real time, and has a link address of its own: the device is in promiscuous mode.
 * What the host itself sends there is seen as well; what the machine sent is not.
 */
#ifndef NKE_DEVICE_H
#define NKE_DEVICE_H

#include <nke/tap.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nke_device nke_device_t;

struct nke_device_config {
	const char *device;		/* the host's name for it, "eth0" */
	const char *interface;		/* the machine's; NULL: "en0" */
	uint8_t lladdr[6];		/* the machine's; all zero: a random one */
	uint32_t mtu;			/* of the machine's interface; 0: 1500 */
	bool not_promiscuous;
};

/*
 * Opens it and makes the machine's interface. `*d` is to be given to nke_device_close, before nke_destroy.
 *
 * ENODEV: no such device. EPERM: it takes privilege. ENETDOWN: it is down. EPROTONOSUPPORT: not an Ethernet.
 * EBUSY: the interface's name is taken. EINVAL: no device was named, or the machine is one in virtual time.
 * ENOMEM, EFAULT; EIO: something else that libpcap says. nke_error_text(m) tells.
 */
int nke_device_open(nke_t *m, const struct nke_device_config *config, nke_device_t **d);
/* Nobody may be in nke_device_input. NULL is ignored. */
void nke_device_close(nke_device_t *d);

/* As nke_tap_fd and nke_tap_input. */
int nke_device_fd(const nke_device_t *d);
int nke_device_input(nke_device_t *d);
nke_iface_t *nke_device_iface(const nke_device_t *d);
const char *nke_device_name(const nke_device_t *d);
void nke_device_stats(const nke_device_t *d, struct nke_live_stats *stats);
void nke_device_record(nke_device_t *d, nke_recorder_t *r);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
