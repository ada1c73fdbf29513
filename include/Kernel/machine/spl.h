/*
 * Interrupt priority levels, 10.1 to 10.3. They mask nothing; each returns 0 and panics when the
 * caller holds no funnel. See kpi/legacy.
 */
#ifndef _MACHINE_SPL_H_
#define _MACHINE_SPL_H_

#include <sys/cdefs.h>

typedef unsigned spl_t;

__BEGIN_DECLS

unsigned splhigh(void);
unsigned splsched(void);
unsigned splclock(void);
unsigned splpower(void);
unsigned splvm(void);
unsigned splbio(void);
unsigned splimp(void);
unsigned spltty(void);
unsigned splnet(void);
unsigned splsoftclock(void);
void spllo(void);
unsigned spl0(void);
void splx(unsigned level);

__END_DECLS

#define sploff() splhigh()
#define splon(s) splx(s)

#endif
