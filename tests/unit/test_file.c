/* kpi/file.c, and the holds of src/kern/filedesc.c: what a kext makes of a program's descriptor. */
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/kpi_socket.h>

#include "src/kern/filedesc.h"
#include "src/kern/socketvar.h"
#include "tests/unit/box_testing.h"

static const struct sockaddr_in name = {.sin_len = sizeof name, .sin_family = AF_INET, .sin_port = 7};

/* A program's socket. */
static int
program_socket(int type, socket_t *so)
{
	int fd = -1;

	CHECK_EQ(socreate(curmachine(), PF_INET, type, 0, so), 0);
	CHECK_EQ(fd_alloc(curmachine(), *so, &fd), 0);
	return fd;
}

static errno_t
bind_it(socket_t so)
{
	return sock_bind(so, (const struct sockaddr *)(const void *)&name);
}

KTEST(a_descriptor_is_turned_into_its_socket)
{
	socket_t so, held = NULL;
	int fd = program_socket(SOCK_DGRAM, &so);

	CHECK_EQ(file_socket(fd, &held), 0);
	CHECK(held == so);
	CHECK_EQ(bind_it(held), 0);
	CHECK_EQ(file_drop(fd), 0);
	CHECK_EQ(file_drop(fd), EBADF);
	CHECK_EQ(fd_close(curmachine(), fd), 0);
	CHECK_EQ(file_socket(fd, &held), EBADF);
	CHECK_EQ(file_socket(-1, &held), EBADF);
	CHECK_EQ(file_socket(fd, NULL), EINVAL);
}

/* The number stands for another socket before the first is dropped. */
KTEST(what_is_held_stays_open_until_it_is_dropped)
{
	socket_t so, other, held;
	int fd = program_socket(SOCK_DGRAM, &so);

	CHECK_EQ(file_socket(fd, &held), 0);
	CHECK_EQ(file_socket(fd, &held), 0);
	CHECK_EQ(bind_it(held), 0);
	CHECK_EQ(fd_close(curmachine(), fd), 0);
	CHECK_EQ(program_socket(SOCK_DGRAM, &other), fd);
	CHECK_EQ(file_drop(fd), 0);
	CHECK_EQ(bind_it(other), EADDRINUSE);
	CHECK_EQ(file_drop(fd), 0);
	CHECK_EQ(bind_it(other), 0);
	CHECK_EQ(file_drop(fd), EBADF);
	CHECK_EQ(fd_close(curmachine(), fd), 0);
}

KTEST(a_machine_ends_with_what_was_never_dropped)
{
	socket_t so, held;
	int open = program_socket(SOCK_STREAM, &so), closed = program_socket(SOCK_DGRAM, &so);

	CHECK_EQ(file_socket(open, &held), 0);
	CHECK_EQ(file_socket(closed, &held), 0);
	CHECK_EQ(fd_close(curmachine(), closed), 0);
}

KTEST(flags_are_told_in_the_kernels_form)
{
	socket_t so;
	int fd = program_socket(SOCK_STREAM, &so), flags = 0, on = 1, device;

	CHECK_EQ(file_flags(fd, &flags), 0);
	CHECK_EQ(flags, FREAD | FWRITE);
	CHECK_EQ(sock_ioctl(so, FIONBIO, &on), 0);
	CHECK_EQ(file_flags(fd, &flags), 0);
	CHECK_EQ(flags, FREAD | FWRITE | FNONBLOCK);
	CHECK_EQ(file_flags(fd, NULL), EINVAL);
	CHECK_EQ(fd_close(curmachine(), fd), 0);
	CHECK_EQ(file_flags(fd, &flags), EBADF);
	make_box();
	device = open_box(O_WRONLY);
	CHECK_EQ(file_flags(device, &flags), 0);
	CHECK_EQ(flags, FWRITE);
	CHECK_EQ(fd_close(curmachine(), device), 0);
	remove_box();
}

KTEST(a_device_is_no_socket_and_nothing_is_a_file)
{
	struct vnode *vp = (struct vnode *)(void *)&vp;
	uint32_t vid = 1;
	socket_t so;
	int device;

	make_box();
	device = open_box(O_RDWR);
	CHECK_EQ(file_socket(device, &so), ENOTSOCK);
	CHECK_EQ(file_drop(device), EBADF);
	CHECK_EQ(file_vnode(device, &vp), EINVAL);
	CHECK(vp == NULL);
	CHECK_EQ(file_vnode_withvid(device, &vp, &vid), EINVAL);
	CHECK_EQ(vid, 0);
	CHECK_EQ(fd_close(curmachine(), device), 0);
	CHECK_EQ(file_vnode(device, &vp), EBADF);
	remove_box();
}

KTEST_SUITE(file, T(a_descriptor_is_turned_into_its_socket), T(what_is_held_stays_open_until_it_is_dropped),
    T(a_machine_ends_with_what_was_never_dropped), T(flags_are_told_in_the_kernels_form),
    T(a_device_is_no_socket_and_nothing_is_a_file));
