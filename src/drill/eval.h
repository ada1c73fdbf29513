/* What an expression of a script is worth. */
#ifndef NKE_DRILL_EVAL_H
#define NKE_DRILL_EVAL_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "src/drill/script.h"

enum drill_system { DRILL_HOST, DRILL_DARWIN };

/*
 * An integer: literals, names (of `system`, or the other one's when it has none), |, htons() and the like,
 * sizeof of C's types. -1: it is none, and `error` says where and why.
 */
int drill_eval(const struct drill_expr *, enum drill_system system, int64_t *value,
    struct drill_error *error);

/*
 * {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("1.2.3.4")} and its like for IPv6
 * (sin6_...): the host's sockaddr. `...` as port or address leaves 0. -1: it is none.
 */
int drill_eval_address(const struct drill_expr *, struct sockaddr_storage *address, socklen_t *len,
    struct drill_error *error);

/*
 * inet_addr("1.2.3.4"), inet6_addr("::1"), htonl(...): the address's octets, in order. Returns how
 * many; -1.
 */
int drill_eval_inaddr(const struct drill_expr *, uint8_t octets[16], struct drill_error *error);

#endif
