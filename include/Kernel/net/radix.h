/* The routing table's tree, as far as its node's layout is known to others. */
#ifndef _RADIX_H_
#define _RADIX_H_

#include <sys/types.h>

struct radix_mask;

struct radix_node {
	struct radix_mask *rn_mklist;
	struct radix_node *rn_parent;
	short rn_bit;		/* bit that is tested; in leaves -1 - index of the mask */
	char rn_bmask;
	u_char rn_flags;	/* RNF_* */
	union {
		struct {
			caddr_t rn_Key;
			caddr_t rn_Mask;
			struct radix_node *rn_Dupedkey;
		} rn_leaf;
		struct {
			int rn_Off;
			struct radix_node *rn_L;
			struct radix_node *rn_R;
		} rn_node;
	} rn_u;
};

#define RNF_NORMAL		1
#define RNF_ROOT		2
#define RNF_ACTIVE		4

#define rn_dupedkey		rn_u.rn_leaf.rn_Dupedkey
#define rn_key			rn_u.rn_leaf.rn_Key
#define rn_mask			rn_u.rn_leaf.rn_Mask
#define rn_offset		rn_u.rn_node.rn_Off
#define rn_left			rn_u.rn_node.rn_L
#define rn_right		rn_u.rn_node.rn_R

#endif
