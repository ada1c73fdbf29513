/*
 * src/kern/device.c, device_file.c and kpi/conf.c: tables, names, opening, moving data, closing.
 * Readiness is in test_device_poll.c.
 */
#include "tests/unit/box_testing.h"

/* ---- tables and names ----------------------------------------------------------------------- */

KTEST(a_negative_index_asks_for_one_at_least_that_far_up)
{
	int any = cdevsw_add(-1, &table), next = cdevsw_add(-24, &table), high = cdevsw_add(-60, &table);

	CHECK_EQ(any, 24);
	CHECK_EQ(next, 25);
	CHECK_EQ(high, 60);
	CHECK_EQ(cdevsw_add(24, &table), -1);
	CHECK_EQ(cdevsw_add(7, &table), 7);
	CHECK_EQ(cdevsw_add(DEVICE_MAJORS, &table), -1);
	CHECK_EQ(cdevsw_add(-DEVICE_MAJORS, &table), -1);
	CHECK_EQ(cdevsw_add(INT32_MIN, &table), -1);
	for (int i = 61; i < DEVICE_MAJORS; i++)
		CHECK_EQ(cdevsw_add(-60, &table), i);
	CHECK_EQ(cdevsw_add(-60, &table), -1);
	CHECK_EQ(cdevsw_remove(24, &table), 24);
	CHECK_EQ(cdevsw_remove(24, &table), -1);
	CHECK_EQ(cdevsw_remove(-1, &table), -1);
	CHECK_EQ(cdevsw_add(-1, &table), 24);
}

KTEST(only_the_same_table_is_taken_away)
{
	struct cdevsw other = table;
	int major = cdevsw_add(-1, &table);

	other.d_type = 0;
	CHECK_EQ(cdevsw_remove(major, &other), -1);
	CHECK_EQ(cdevsw_remove(major, &table), major);
}

KTEST(a_name_is_there_once)
{
	void *n;

	make_box();
	CHECK(devfs_make_node(0, DEVFS_CHAR, 0, 0, 0600, "box0") == NULL);
	CHECK(ktest_log_contains("\"box0\" is there already"));
	CHECK(devfs_make_node(0, DEVFS_CHAR, 0, 0, 0600, "%s", "") == NULL);
	CHECK(devfs_make_node(0, DEVFS_CHAR, 0, 0, 0600, "%0200d", 1) == NULL);
	CHECK(ktest_log_contains("too long"));
	n = devfs_make_node(0, DEVFS_CHAR, 0, 0, 0600, "net/box%u", 1u);
	CHECK(n != NULL);
	/* a folder is taken as well */
	CHECK(devfs_make_node(0, DEVFS_CHAR, 0, 0, 0600, "net") == NULL);
	devfs_remove(n);
	CHECK_EQ(try_open("/dev/net/box1", O_RDWR), ENOENT);
	remove_box();
}

KTEST_PANICS(a_name_is_removed_once, "was removed before")
{
	make_box();
	CHECK(open_box(O_RDWR) >= 0);
	devfs_remove(box_node);
	devfs_remove(box_node);
}

KTEST(paths_that_are_no_device)
{
	char longest[1100];

	make_box();
	CHECK_EQ(try_open("/dev/box0", O_RDWR), 0);
	CHECK_EQ(try_open("//dev///box0", O_RDWR), 0);
	CHECK_EQ(try_open("/dev/box1", O_RDWR), ENOENT);
	CHECK_EQ(try_open("box0", O_RDWR), ENOENT);
	CHECK_EQ(try_open("", O_RDWR), ENOENT);
	CHECK_EQ(try_open("/etc/hosts", O_RDWR), ENOENT);
	CHECK_EQ(try_open("/device/box0", O_RDWR), ENOENT);
	CHECK_EQ(try_open("/", O_RDONLY), EISDIR);
	CHECK_EQ(try_open("/dev", O_RDONLY), EISDIR);
	CHECK_EQ(try_open("/dev/", O_RDONLY), EISDIR);
	CHECK_EQ(try_open("/dev/box0/", O_RDWR), ENOTDIR);
	CHECK_EQ(try_open("/dev/box0/1", O_RDWR), ENOTDIR);
	CHECK_EQ(try_open("/dev/box0", O_RDWR | O_DIRECTORY), ENOTDIR);
	CHECK_EQ(try_open("/dev/box0", O_RDWR | O_CREAT | O_EXCL), EEXIST);
	CHECK_EQ(try_open("/dev/box0", O_RDWR | O_CREAT), 0);
	CHECK_EQ(try_open("/dev/box0", O_ACCMODE), EINVAL);
	CHECK_EQ(try_open(NULL, O_RDWR), EINVAL);
	memset(longest, 'a', sizeof longest - 1);
	longest[0] = '/';
	longest[sizeof longest - 1] = '\0';
	CHECK_EQ(try_open(longest, O_RDWR), ENAMETOOLONG);
	CHECK_STR(trail, "ocococ");
	remove_box();
}

KTEST(a_name_without_a_device_behind_it)
{
	void *none = devfs_make_node(makedev(30, 0), DEVFS_CHAR, 0, 0, 0666, "none");
	void *far = devfs_make_node(makedev(200, 0), DEVFS_CHAR, 0, 0, 0666, "far");
	void *disk;

	make_box();
	disk = devfs_make_node(makedev((unsigned)box_major, 0), DEVFS_BLOCK, 0, 0, 0666, "disk");
	CHECK_EQ(try_open("/dev/none", O_RDWR), ENXIO);
	CHECK_EQ(try_open("/dev/far", O_RDWR), ENXIO);
	CHECK_EQ(try_open("/dev/disk", O_RDWR), ENXIO);
	devfs_remove(none);
	devfs_remove(far);
	devfs_remove(disk);
	remove_box();
}

/* ---- opening and closing -------------------------------------------------------------------- */

KTEST(open_says_how_and_for_whom)
{
	int fd;

	make_box();
	fd = open_box(O_RDWR | O_NONBLOCK | O_CREAT);
	CHECK_EQ(box.last_flags, FREAD | FWRITE | O_NONBLOCK);
	CHECK_EQ(box.last_mode, S_IFCHR);
	CHECK_EQ(box.last_dev, (dev_t)makedev((unsigned)box_major, 7));
	CHECK_EQ(box.last_pid, 100);
	box.close_error = EIO;
	box.last_flags = 0;
	CHECK_EQ(close_fd(fd), EIO);
	CHECK_EQ(box.last_flags, FREAD | FWRITE | O_NONBLOCK);
	CHECK_EQ(close_fd(fd), EBADF);
	box.open_error = EBUSY;
	CHECK_EQ(try_open("/dev/box0", O_RDONLY), EBUSY);
	CHECK_EQ(box.last_flags, FREAD);
	CHECK_STR(trail, "oco");
	remove_box();
}

KTEST(only_the_last_close_reaches_the_device)
{
	int a, b, copy;

	make_box();
	a = open_box(O_RDONLY);
	b = open_box(O_WRONLY);
	CHECK_EQ(file_call_dup(curmachine(), a, 0, &copy), 0);
	CHECK_STR(trail, "oo");
	CHECK_EQ(close_fd(a), 0);
	CHECK_EQ(close_fd(copy), 0);
	CHECK_STR(trail, "oo");
	CHECK_EQ(close_fd(b), 0);
	CHECK_STR(trail, "ooc");
	CHECK_EQ(box.last_flags, FWRITE);
	remove_box();
}

KTEST(a_clone_function_chooses_the_device)
{
	void *n;
	int a, b;

	make_box();
	n = devfs_make_node_clone(makedev((unsigned)box_major, 0), DEVFS_CHAR, 0, 0, 0600, box_clone,
	    "newbox");
	CHECK_EQ(file_call_open(curmachine(), "/dev/newbox", O_RDWR, &a), 0);
	CHECK_EQ(minor(box.last_dev), 10);
	CHECK_EQ(file_call_open(curmachine(), "/dev/newbox", O_RDWR, &b), 0);
	CHECK_EQ(minor(box.last_dev), 11);
	CHECK_STR(trail, "aoao");
	CHECK_EQ(close_fd(a), 0);
	CHECK_EQ(box.freed, 10);
	CHECK_STR(trail, "aoaocf");
	box.open_error = EPERM;
	CHECK_EQ(try_open("/dev/newbox", O_RDWR), EPERM);
	CHECK_EQ(box.freed, 12);
	box.units = 5;
	CHECK_EQ(try_open("/dev/newbox", O_RDWR), ENOMEM);
	/* the name goes first: nobody is to be told */
	devfs_remove(n);
	fresh_trail();
	CHECK_EQ(close_fd(b), 0);
	CHECK_STR(trail, "c");
	remove_box();
}

/* ---- moving data ---------------------------------------------------------------------------- */

KTEST(data_goes_through)
{
	struct core_iovec in[2] = {{NULL, 0}, {NULL, 0}};
	char a[4], b[60];
	size_t done;
	int fd;

	make_box();
	fd = open_box(O_RDWR);
	CHECK_EQ(put(fd, "hello, box"), 0);
	CHECK_EQ(box.last_ioflag & IO_NDELAY, 0);
	in[0] = (struct core_iovec){a, sizeof a};
	in[1] = (struct core_iovec){b, sizeof b};
	CHECK_EQ(file_call_read(curmachine(), fd, in, 2, &done), 0);
	CHECK_EQ(done, 10);
	CHECK_EQ(memcmp(a, "hell", 4), 0);
	CHECK_EQ(memcmp(b, "o, box", 6), 0);
	/* reading nothing asks nobody */
	in[0].len = in[1].len = 0;
	CHECK_EQ(file_call_read(curmachine(), fd, in, 2, &done), 0);
	CHECK_STR(trail, "owr");
	CHECK_EQ(close_fd(fd), 0);
	remove_box();
}

KTEST(many_pieces_are_one_message)
{
	char text[] = "abcdefghijklmnopqrstuvwxyz";
	struct core_iovec iov[26];
	size_t done;
	int fd;

	make_box();
	fd = open_box(O_RDWR);
	for (int i = 0; i < 26; i++)
		iov[i] = (struct core_iovec){text + i, 1};
	CHECK_EQ(file_call_write(curmachine(), fd, iov, 26, &done), 0);
	CHECK_EQ(done, 26);
	CHECK_EQ(get(fd), 0);
	CHECK_STR(got, text);
	iov[3].base = NULL;
	CHECK_EQ(file_call_write(curmachine(), fd, iov, 26, &done), EINVAL);
	CHECK_EQ(file_call_write(curmachine(), fd, iov, 1025, &done), EINVAL);
	iov[3].len = INT32_MAX;
	iov[3].base = text;
	CHECK_EQ(file_call_write(curmachine(), fd, iov, 26, &done), EINVAL);
	CHECK_EQ(close_fd(fd), 0);
	remove_box();
}

KTEST(a_file_does_what_it_was_opened_for)
{
	int fd;

	make_box();
	fd = open_box(O_RDONLY | O_NONBLOCK);
	CHECK_EQ(put(fd, "x"), EBADF);
	CHECK_EQ(get(fd), EWOULDBLOCK);
	CHECK_EQ(close_fd(fd), 0);
	fd = open_box(O_WRONLY);
	CHECK_EQ(get(fd), EBADF);
	CHECK_EQ(close_fd(fd), 0);
	CHECK_STR(trail, "orcoc");
	remove_box();
}

static void
read_in_thread(void *arg, wait_result_t result)
{
	(void)arg, (void)result;
	mark('<');
	mark(get(waiting_fd) == 0 ? '>' : '!');
}

KTEST(a_reader_waits_for_a_writer)
{
	make_box();
	waiting_fd = open_box(O_RDWR);
	start(read_in_thread, NULL);
	sleep_for(MS);
	CHECK_STR(trail, "o<r");
	CHECK_EQ(put(waiting_fd, "late"), 0);
	sleep_for(MS);
	CHECK_STR(trail, "o<rw>");
	CHECK_STR(got, "late");
	CHECK_EQ(close_fd(waiting_fd), 0);
	remove_box();
}

KTEST(waiting_drives_virtual_time)
{
	uint64_t before = machine_now(curmachine());
	int fd;

	make_box();
	fd = open_box(O_RDWR);
	start(deliver_later, NULL);
	CHECK_EQ(get(fd), 0);
	CHECK_STR(got, "in time");
	CHECK_EQ(machine_now(curmachine()) - before, 500 * MS);
	/* and when nothing can come any more, says so */
	CHECK_EQ(get(fd), EDEADLK);
	CHECK_EQ(close_fd(fd), 0);
	remove_box();
}

KTEST(closing_wakes_who_sleeps_inside)
{
	int error = -1;

	make_box();
	waiting_fd = open_box(O_RDWR);
	start(read_and_note_error, &error);
	sleep_for(MS);
	CHECK_STR(trail, "or");
	CHECK_EQ(close_fd(waiting_fd), 0);
	CHECK_STR(trail, "or");
	CHECK_EQ(close_fd(waiting_fd), EBADF);
	sleep_for(MS);
	CHECK_EQ(error, EBADF);
	CHECK_STR(trail, "orc");
	remove_box();
}

KTEST(who_cannot_be_woken_closes_in_the_end)
{
	int error = -1;

	make_box();
	box.uninterruptible = true;
	waiting_fd = open_box(O_RDWR);
	start(read_and_note_error, &error);
	sleep_for(MS);
	CHECK_EQ(close_fd(waiting_fd), 0);
	sleep_for(MS);
	CHECK_EQ(error, -1);
	CHECK_STR(trail, "or");
	deliver("at last");
	sleep_for(MS);
	CHECK_EQ(error, 0);
	CHECK_STR(got, "at last");
	CHECK_STR(trail, "orc");
	remove_box();
}

/* ---- control -------------------------------------------------------------------------------- */

KTEST(ioctl_copies_by_size_and_direction)
{
	static struct big big;
	int fd, value = 5;

	make_box();
	fd = open_box(O_RDWR);
	CHECK_EQ(control(fd, BOX_PUT, &value), 0);
	CHECK_EQ(value, 5);
	CHECK_EQ(box.value, 5);
	CHECK_EQ(box.last_flags, FREAD | FWRITE);
	value = 99;
	CHECK_EQ(control(fd, BOX_GET, &value), 0);
	CHECK_EQ(value, 5);
	CHECK_EQ(control(fd, BOX_ADD, &value), 0);
	CHECK_EQ(value, 10);
	/* on an error nothing comes back */
	box.value = -1;
	CHECK_EQ(control(fd, BOX_ADD, &value), ERANGE);
	CHECK_EQ(value, 10);
	CHECK_EQ(control(fd, BOX_RAW, (void *)(uintptr_t)77), 0);
	CHECK_EQ(box.value, 77);
	CHECK_EQ(control(fd, BOX_BIG, &big), 0);
	CHECK_EQ(big.bytes[sizeof big.bytes - 1], 1);
	CHECK_EQ(control(fd, BOX_GET, NULL), EINVAL);
	CHECK_EQ(control(fd, _IO('b', 99), NULL), ENOTTY);
	CHECK_EQ(control(fd, FIODTYPE, &value), 0);
	CHECK_EQ(value, D_TTY);
	CHECK_EQ(control(fd, FIOCLEX, NULL), 0);
	CHECK_EQ(close_fd(fd), 0);
	remove_box();
}

KTEST(nonblocking_is_told_to_the_device)
{
	int fd, on = 1, flags;

	make_box();
	fd = open_box(O_RDWR);
	CHECK_EQ(file_call_set_nonblocking(curmachine(), fd, true), 0);
	CHECK_EQ(get(fd), EWOULDBLOCK);
	CHECK_EQ(file_call_flags(curmachine(), fd, &flags), 0);
	CHECK_EQ(flags, O_RDWR | O_NONBLOCK);
	CHECK_EQ(file_call_set_flags(curmachine(), fd, O_APPEND), 0);
	CHECK_EQ(file_call_flags(curmachine(), fd, &flags), 0);
	CHECK_EQ(flags, O_RDWR | O_APPEND);
	CHECK_EQ(put(fd, "x"), 0);
	CHECK_EQ(box.last_ioflag & (IO_NDELAY | IO_APPEND), IO_APPEND);
	CHECK_EQ(control(fd, FIONBIO, &on), 0);
	CHECK_STR(trail, "oNrnwN");
	/* What the device does not know, it says. */
	CHECK_EQ(file_call_set_flags(curmachine(), fd, O_ASYNC), ENOTTY);
	CHECK_EQ(close_fd(fd), 0);
	remove_box();
}

KTEST(a_device_without_functions)
{
	static const struct cdevsw none = NO_CDEVICE, nothing = {.d_type = 0};
	int a = cdevsw_add(-1, &none), b = cdevsw_add(-1, &nothing);
	void *na = devfs_make_node(makedev((unsigned)a, 0), DEVFS_CHAR, 0, 0, 0666, "a");
	void *nb = devfs_make_node(makedev((unsigned)b, 0), DEVFS_CHAR, 0, 0, 0666, "b");

	CHECK_EQ(try_open("/dev/a", O_RDWR), ENODEV);
	CHECK_EQ(try_open("/dev/b", O_RDWR), ENODEV);
	devfs_remove(na);
	devfs_remove(nb);
}

/* ---- sockets and devices -------------------------------------------------------------------- */

/* In a message of a local socket. */
static int
send_descriptor(int fd)
{
	struct {
		struct cmsghdr header;
		int fd;
	} control = {{CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}, fd};
	char byte = 0;
	struct core_iovec iov = {&byte, 1};
	struct core_message msg = {.iov = &iov, .iovcnt = 1, .control = &control,
	    .controllen = sizeof control};
	int pair[2], error;
	size_t done;

	CHECK_EQ(sock_call_socketpair(curmachine(), PF_LOCAL, SOCK_STREAM, 0, pair), 0);
	error = sock_call_sendmsg(curmachine(), pair[0], &msg, 0, &done);
	CHECK_EQ(close_fd(pair[0]), 0);
	CHECK_EQ(close_fd(pair[1]), 0);
	return error;
}

KTEST(calls_on_sockets_are_not_for_devices)
{
	struct nke *m = curmachine();
	struct core_iovec iov = {got, 1};
	uint32_t len = sizeof got;
	int fd, s, pair[2], flags;
	size_t done;

	make_box();
	fd = open_box(O_RDWR);
	CHECK_EQ(sock_call_listen(m, fd, 1), ENOTSOCK);
	CHECK_EQ(sock_call_sendto(m, fd, "x", 1, 0, NULL, 0, &done), ENOTSOCK);
	CHECK_EQ(sock_call_recvfrom(m, fd, got, 1, 0, NULL, NULL, &done), ENOTSOCK);
	CHECK_EQ(sock_call_getsockname(m, fd, got, &len), ENOTSOCK);
	CHECK_EQ(send_descriptor(fd), EOPNOTSUPP);
	CHECK_EQ(send_descriptor(99), EBADF);
	CHECK_EQ(sock_call_socket(m, PF_LOCAL, SOCK_DGRAM, 0, &s), 0);
	CHECK_EQ(s, fd + 1);
	CHECK_EQ(file_call_read(m, s, &iov, 1, &done), EOPNOTSUPP);
	CHECK_EQ(file_call_read(m, 99, &iov, 1, &done), EBADF);
	CHECK_EQ(file_call_flags(m, s, &flags), 0);
	CHECK_EQ(flags, O_RDWR);
	CHECK_EQ(file_call_set_flags(m, s, O_NONBLOCK), 0);
	CHECK_EQ(sock_call_recvfrom(m, s, got, 1, 0, NULL, NULL, &done), EWOULDBLOCK);
	CHECK_EQ(close_fd(s), 0);
	CHECK_EQ(close_fd(fd), 0);
	/* a number is used again for either */
	CHECK_EQ(sock_call_socketpair(m, PF_LOCAL, SOCK_STREAM, 0, pair), 0);
	CHECK_EQ(pair[0], fd);
	CHECK_EQ(close_fd(pair[0]), 0);
	CHECK_EQ(open_box(O_RDWR), fd);
	CHECK_EQ(close_fd(fd), 0);
	CHECK_EQ(close_fd(pair[1]), 0);
	remove_box();
}

/* ---- going away ----------------------------------------------------------------------------- */

KTEST(a_table_that_is_taken_away_is_not_called)
{
	int fd, value;

	make_box();
	fd = open_box(O_RDWR);
	remove_box();
	CHECK(ktest_log_contains("taken away while it is open"));
	CHECK_EQ(get(fd), ENXIO);
	CHECK_EQ(put(fd, "x"), ENXIO);
	CHECK_EQ(control(fd, BOX_GET, &value), ENXIO);
	CHECK_EQ(poll_one(fd, CORE_READY_READ, -1), CORE_READY_ERROR | CORE_READY_HANGUP);
	/* the same number again is another device */
	CHECK_EQ(cdevsw_add(box_major, &table), box_major);
	CHECK_EQ(get(fd), ENXIO);
	CHECK_EQ(close_fd(fd), 0);
	CHECK_STR(trail, "o");
	CHECK_EQ(cdevsw_remove(box_major, &table), box_major);
}

/* A machine goes down with devices open and watched, and one who waits. */
KTEST(a_machine_ends_with_open_devices)
{
	unsigned times = 0, ready;
	int error, fd;

	make_box();
	fd = open_box(O_RDWR);
	CHECK_EQ(file_call_watch(curmachine(), fd, note_ready, &times, &ready), 0);
	waiting_fd = open_box(O_RDWR);
	start(read_and_note_error, &error);
	sleep_for(MS);
}

KTEST(every_allocation_may_fail)
{
	struct nke *m = curmachine();
	struct core_memory now;
	unsigned ready, times = 0, failures = 0;
	int fd;

	for (unsigned n = 1; n < 40; n++) {
		struct core_iovec iov[20];
		static struct big big;
		size_t done;
		void *node = NULL;
		int major;

		memset(&box, 0, sizeof box);
		for (size_t i = 0; i < 20; i++)
			iov[i] = (struct core_iovec){got + i, 1};
		machine_memory(m, &now);
		m->config.fail_alloc = now.allocations + n;
		major = cdevsw_add(-1, &table);
		if (major >= 0)
			node = devfs_make_node(makedev((unsigned)major, 0), DEVFS_CHAR, 0, 0, 0600, "box0");
		if (node != NULL && file_call_open(m, "/dev/box0", O_RDWR, &fd) == 0) {
			(void)file_call_watch(m, fd, note_ready, &times, &ready);
			(void)file_call_write(m, fd, iov, 20, &done);
			(void)control(fd, BOX_BIG, &big);
			CHECK_EQ(close_fd(fd), 0);
		}
		failures += now.allocations + n == m->config.fail_alloc;
		m->config.fail_alloc = 0;
		if (node != NULL)
			devfs_remove(node);
		if (major >= 0)
			CHECK_EQ(cdevsw_remove(major, &table), major);
		CHECK(TAILQ_EMPTY(device_specials(m)));
	}
	CHECK(failures > 5);
}

KTEST_SUITE(device, T(a_negative_index_asks_for_one_at_least_that_far_up),
    T(only_the_same_table_is_taken_away), T(a_name_is_there_once), T(a_name_is_removed_once),
    T(paths_that_are_no_device), T(a_name_without_a_device_behind_it), T(open_says_how_and_for_whom),
    T(only_the_last_close_reaches_the_device), T(a_clone_function_chooses_the_device),
    T(data_goes_through), T(many_pieces_are_one_message), T(a_file_does_what_it_was_opened_for),
    T(a_reader_waits_for_a_writer), T(waiting_drives_virtual_time), T(closing_wakes_who_sleeps_inside),
    T(who_cannot_be_woken_closes_in_the_end), T(ioctl_copies_by_size_and_direction),
    T(nonblocking_is_told_to_the_device), T(a_device_without_functions),
    T(calls_on_sockets_are_not_for_devices), T(a_table_that_is_taken_away_is_not_called),
    T(a_machine_ends_with_open_devices), T(every_allocation_may_fail));
