/* The other source of the folder. */
#include "half.h"

int
half(int number)
{
	return number / 2;
}
