/* On which processor the caller runs. */
#ifndef _KERN_CPU_NUMBER_H_
#define _KERN_CPU_NUMBER_H_

/* 0: the machine has one CPU. */
static inline int
cpu_number(void)
{
	return 0;
}

#endif
