/* C++ without IOKit: global objects, virtual functions, new and delete, a static local. */
#include <libkern/libkern.h>
#include <mach/mach_types.h>
#include <sys/systm.h>

namespace {

class Shape {
public:
	virtual ~Shape() { printf("~Shape %d\n", number); }
	virtual int area() const = 0;
	int number;
protected:
	explicit Shape(int n) : number(n) { printf("Shape %d\n", n); }
};

class Square : public Shape {
public:
	Square(int n, int s) : Shape(n), side(s), cells(new int[s]) { }
	~Square() override { delete[] cells; }
	int area() const override { return side * side; }
private:
	int side;
	int *cells;
};

Square first(1, 3);
Square second(2, 4);
Shape *third;

Square &
local()
{
	static Square fourth(4, 6);

	return fourth;
}

}

extern "C" {

extern int hz;		/* as who does not know sys/kernel.h */

kern_return_t
cxx_start(kmod_info_t *, void *)
{
	third = new Square(3, 5);
	printf("areas %d %d %d %d\n", first.area(), second.area(), third->area(), local().area());
	return hz > 0 ? KERN_SUCCESS : KERN_FAILURE;
}

kern_return_t
cxx_stop(kmod_info_t *, void *)
{
	delete third;
	return KERN_SUCCESS;
}

}
