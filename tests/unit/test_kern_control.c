/*
 * src/kern/kern_control*.c, kpi/kern_control.c: controllers and their clients. Every error that the
 * interface states is got here.
 */
#include <sys/kpi_socket.h>

#include "src/kern/heap.h"
#include "src/kern/kext.h"
#include "tests/unit/kctl_testing.h"

/* ---- registering -------------------------------------------------------------------------- */

KTEST(a_controller_needs_a_name_and_a_way_to_connect)
{
	struct kern_ctl_reg reg = k_reg("", 0);
	kern_ctl_ref ref;

	CHECK_EQ(ctl_register(NULL, &ref), EINVAL);
	CHECK_EQ(ctl_register(&reg, &ref), EINVAL);
	memset(reg.ctl_name, 'n', sizeof reg.ctl_name);
	CHECK_EQ(ctl_register(&reg, &ref), EINVAL);
	reg.ctl_name[95] = '\0';
	reg.ctl_connect = NULL;
	CHECK_EQ(ctl_register(&reg, &ref), EINVAL);
	reg.ctl_connect = k_connect;
	CHECK_EQ(ctl_register(&reg, &ref), 0);
	CHECK_EQ(ctl_deregister(ref), 0);
	/* A reference that is not one any more, and one that never was. */
	CHECK_EQ(ctl_deregister(ref), EINVAL);
	CHECK_EQ(ctl_deregister(NULL), EINVAL);
	CHECK_EQ(ctl_deregister((kern_ctl_ref)(uintptr_t)0xdeadbeef), EINVAL);
}

KTEST(a_reference_is_never_given_twice)
{
	struct kern_ctl_reg reg = k_reg("org.example.one", 0);
	kern_ctl_ref first, second;
	size_t space;

	CHECK_EQ(ctl_register(&reg, &first), 0);
	CHECK_EQ(ctl_deregister(first), 0);
	CHECK_EQ(ctl_register(&reg, &second), 0);
	CHECK(first != second);
	CHECK_EQ(ctl_deregister(first), EINVAL);
	CHECK_EQ(ctl_enqueuedata(first, 1, &space, 1, 0), EINVAL);
	CHECK_EQ(ctl_getenqueuespace(first, 1, &space), EINVAL);
	CHECK_EQ(ctl_deregister(second), 0);
}

static u_int32_t
register_as(const char *name, u_int32_t flags, u_int32_t id, u_int32_t unit, kern_ctl_ref *ref)
{
	struct kern_ctl_reg reg = k_reg(name, flags);

	reg.ctl_id = id;
	reg.ctl_unit = unit;
	CHECK_EQ(ctl_register(&reg, ref), 0);
	return reg.ctl_id;
}

static errno_t
register_error(const char *name, u_int32_t flags, u_int32_t id, u_int32_t unit)
{
	struct kern_ctl_reg reg = k_reg(name, flags);
	kern_ctl_ref ref;

	reg.ctl_id = id;
	reg.ctl_unit = unit;
	return ctl_register(&reg, &ref);
}

KTEST(ids_go_up_and_come_again_only_from_the_top)
{
	kern_ctl_ref a, b, c;

	CHECK_EQ(register_as("a", 0, 77, 5, &a), 1);
	CHECK_EQ(register_as("b", 0, 0, 0, &b), 2);
	CHECK_EQ(register_as("c", 0, 0, 0, &c), 3);
	/* A gap stays one. */
	CHECK_EQ(ctl_deregister(b), 0);
	CHECK_EQ(register_as("b", 0, 0, 0, &b), 4);
	/* The highest is used again. */
	CHECK_EQ(ctl_deregister(b), 0);
	CHECK_EQ(register_as("b", 0, 0, 0, &b), 4);
	CHECK_EQ(ctl_deregister(a) + ctl_deregister(b) + ctl_deregister(c), 0);
	CHECK_EQ(register_as("a", 0, 0, 0, &a), 1);
	CHECK_EQ(ctl_deregister(a), 0);
}

KTEST(when_ids_are_used_up_the_first_gap_is_taken)
{
	kern_ctl_ref a, top, b, c;

	CHECK_EQ(register_as("a", 0, 0, 0, &a), 1);
	CHECK_EQ(register_as("top", CTL_FLAG_REG_ID_UNIT, UINT32_MAX, 0, &top), UINT32_MAX);
	CHECK_EQ(register_as("b", 0, 0, 0, &b), 2);
	CHECK_EQ(register_as("c", 0, 0, 0, &c), 3);
	CHECK_EQ(ctl_deregister(b), 0);
	CHECK_EQ(register_as("b", 0, 0, 0, &b), 2);
	CHECK_EQ(ctl_deregister(a) + ctl_deregister(b) + ctl_deregister(c) + ctl_deregister(top), 0);
}

KTEST(who_has_an_id_or_a_name_keeps_it)
{
	kern_ctl_ref a, fixed, other;

	CHECK_EQ(register_as("a", 0, 0, 0, &a), 1);
	CHECK_EQ(register_error("a", 0, 0, 0), EEXIST);
	CHECK_EQ(register_error("x", CTL_FLAG_REG_ID_UNIT, 1, 9), EEXIST);
	CHECK_EQ(register_as("fixed", CTL_FLAG_REG_ID_UNIT, 10, 1, &fixed), 10);
	CHECK_EQ(register_error("x", CTL_FLAG_REG_ID_UNIT, 10, 1), EEXIST);
	CHECK_EQ(register_error("fixed", 0, 0, 0), EEXIST);
	/* The names of those that choose their ids are not compared, and one id may have several units. */
	CHECK_EQ(register_as("fixed", CTL_FLAG_REG_ID_UNIT, 10, 2, &other), 10);
	CHECK_EQ(ctl_deregister(a) + ctl_deregister(fixed) + ctl_deregister(other), 0);
}

KTEST(sizes_have_defaults_and_a_limit)
{
	struct kern_ctl_reg reg = k_reg("sizes", 0);
	kern_ctl_ref ref;

	CHECK_EQ(ctl_register(&reg, &ref), 0);
	CHECK_EQ(reg.ctl_sendsize, 2048);
	CHECK_EQ(reg.ctl_recvsize, 8192);
	CHECK_EQ(ctl_deregister(ref), 0);
	reg.ctl_sendsize = UINT32_MAX;
	reg.ctl_recvsize = 100;
	CHECK_EQ(ctl_register(&reg, &ref), 0);
	CHECK_EQ(reg.ctl_sendsize, 7456540);
	CHECK_EQ(reg.ctl_recvsize, 100);
	CHECK_EQ(ctl_deregister(ref), 0);
}

/* ---- finding ------------------------------------------------------------------------------ */

KTEST(programs_find_a_controller_by_its_name)
{
	struct socket *so = control_socket(SOCK_STREAM);
	struct ctl_info info;
	kern_ctl_ref fixed;
	int count = -1;

	CHECK_EQ(soioctl(so, CTLIOCGCOUNT, &count), 0);
	CHECK_EQ(count, 0);
	memset(&info, 0, sizeof info);
	CHECK_EQ(soioctl(so, CTLIOCGINFO, &info), EINVAL);
	memset(info.ctl_name, 'x', sizeof info.ctl_name);
	CHECK_EQ(soioctl(so, CTLIOCGINFO, &info), EINVAL);
	memset(&info, 0, sizeof info);
	memcpy(info.ctl_name, "org.example.control", 19);
	CHECK_EQ(soioctl(so, CTLIOCGINFO, &info), ENOENT);
	CHECK_EQ(k_register(), 1);
	/* Of several with one name it is the first, by id. */
	CHECK_EQ(register_as("org.example.control", CTL_FLAG_REG_ID_UNIT, 0x1000, 1, &fixed), 0x1000);
	CHECK_EQ(soioctl(so, CTLIOCGINFO, &info), 0);
	CHECK_EQ(info.ctl_id, 1);
	CHECK_EQ(soioctl(so, CTLIOCGCOUNT, &count), 0);
	CHECK_EQ(count, 2);
	CHECK_EQ(soioctl(so, _IO('N', 99), NULL), ENOTSUP);
	CHECK_EQ(ctl_deregister(k.ref) + ctl_deregister(fixed), 0);
	soclose(so);
}

/* ---- connecting --------------------------------------------------------------------------- */

KTEST(a_client_gets_a_unit)
{
	struct socket *so = control_socket(SOCK_DGRAM);
	struct sockaddr_storage ss;
	struct sockaddr_ctl sac;
	u_int32_t id = k_register();

	CHECK_EQ(sogetpeername(so, &ss), ENOTCONN);
	CHECK_EQ(send_text(so, "early"), ENOTCONN);
	CHECK_EQ(connect_to(so, id, 0), 0);
	CHECK_STR(trail, "c");
	CHECK_EQ(k.sac.sc_id, id);
	CHECK_EQ(k.sac.sc_unit, 1);
	/* The unit is there already while ctl_connect runs. */
	CHECK_EQ(k.enqueue, 0);
	CHECK_STR(receive_text(so), "hello");
	CHECK_EQ(sogetpeername(so, &ss), 0);
	memcpy(&sac, &ss, sizeof sac);
	CHECK_EQ(sac.sc_len, 32);
	CHECK_EQ(sac.sc_family, AF_SYSTEM);
	CHECK_EQ(sac.ss_sysaddr, AF_SYS_CONTROL);
	CHECK_EQ(sac.sc_id, id);
	CHECK_EQ(sac.sc_unit, 1);
	CHECK_EQ(connect_to(so, id, 0), EISCONN);
	CHECK_EQ(solisten(so, 1), EOPNOTSUPP);
	CHECK_EQ(ctl_deregister(k.ref), EBUSY);
	soclose(so);
	CHECK_STR(trail, "cd");
	CHECK_EQ(k.unit, 1);
	CHECK(k.unitinfo == (void *)0x1001);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

KTEST(units_are_the_lowest_that_are_free)
{
	struct socket *so[4];
	u_int32_t id = k_register();

	for (int i = 0; i < 3; i++) {
		so[i] = k_client(id);
		CHECK_EQ(unit_of(so[i]), i + 1);
	}
	soclose(so[1]);
	so[3] = control_socket(SOCK_DGRAM);
	CHECK_EQ(connect_to(so[3], id, 3), EBUSY);
	CHECK_EQ(connect_to(so[3], id, 0x12345678), 0);
	CHECK_EQ(unit_of(so[3]), 0x12345678);
	so[1] = k_client(id);
	CHECK_EQ(unit_of(so[1]), 2);
	for (int i = 0; i < 4; i++)
		soclose(so[i]);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

KTEST(units_can_be_used_up)
{
	struct socket **so = kalloc(curmachine(), (KCTL_UNIT_MAX + 1) * sizeof *so), *more;
	u_int32_t id = k_register();

	for (unsigned i = 1; i <= KCTL_UNIT_MAX; i++) {
		so[i] = control_socket(SOCK_DGRAM);
		CHECK_EQ(connect_to(so[i], id, 0), 0);
	}
	CHECK_EQ(unit_of(so[KCTL_UNIT_MAX]), KCTL_UNIT_MAX);
	more = control_socket(SOCK_DGRAM);
	CHECK_EQ(connect_to(more, id, 0), EBUSY);
	CHECK_EQ(connect_to(more, id, KCTL_UNIT_MAX + 1), 0);
	soclose(more);
	/* The one gap is found, and each is heard. */
	soclose(so[777]);
	so[777] = control_socket(SOCK_DGRAM);
	CHECK_EQ(connect_to(so[777], id, 0), 0);
	CHECK_EQ(unit_of(so[777]), 777);
	for (unsigned i = 1; i <= KCTL_UNIT_MAX; i++)
		CHECK_EQ(put(i, "all", 0), 0);
	CHECK_STR(receive_text(so[5]), "hello");
	CHECK_STR(receive_text(so[5]), "all");
	for (unsigned i = 1; i <= KCTL_UNIT_MAX; i++)
		soclose(so[i]);
	kfree(curmachine(), so);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

KTEST(a_connection_is_refused_for_a_reason)
{
	struct sockaddr_ctl sac = ctl_name(1, 0);
	const struct sockaddr *sa = (const struct sockaddr *)(const void *)&sac;
	struct socket *dgram = control_socket(SOCK_DGRAM), *stream = control_socket(SOCK_STREAM);
	u_int32_t id = k_register_flags(CTL_FLAG_PRIVILEGED);

	sac.sc_len = 31;
	CHECK_EQ(soconnect(dgram, sa, 0), EINVAL);
	CHECK_EQ(connect_to(dgram, id + 1, 0), ENOENT);
	CHECK_EQ(connect_to(stream, id, 0), EPROTOTYPE);
	dgram->so_state &= (uint16_t)~SS_PRIV;
	CHECK_EQ(connect_to(dgram, id, 0), EPERM);
	dgram->so_state |= SS_PRIV;
	curmachine()->sockets->maxsockbuf = 4096;
	CHECK_EQ(connect_to(dgram, id, 0), ENOBUFS);
	curmachine()->sockets->maxsockbuf = SB_MAX_DEFAULT;
	CHECK_STR(trail, "");
	/* Family and kind of the address are not looked at. */
	sac = ctl_name(id, 0);
	sac.sc_family = AF_INET;
	sac.ss_sysaddr = 77;
	CHECK_EQ(soconnect(dgram, sa, 0), 0);
	soclose(dgram);
	CHECK_EQ(ctl_deregister(k.ref), 0);
	id = k_register_flags(CTL_FLAG_REG_SOCK_STREAM);
	dgram = control_socket(SOCK_DGRAM);
	CHECK_EQ(connect_to(dgram, id, 0), EPROTOTYPE);
	CHECK_EQ(connect_to(stream, id, 0), 0);
	soclose(stream);
	soclose(dgram);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

KTEST(a_controller_with_a_unit_has_one_client)
{
	struct kern_ctl_reg reg = k_reg("fixed", CTL_FLAG_REG_ID_UNIT);
	struct socket *a = control_socket(SOCK_DGRAM), *b = control_socket(SOCK_DGRAM);

	memset(&k, 0, sizeof k);
	reg.ctl_id = 500;
	reg.ctl_unit = 7;
	CHECK_EQ(ctl_register(&reg, &k.ref), 0);
	CHECK_EQ(connect_to(a, 500, 0), ENOENT);
	CHECK_EQ(connect_to(a, 500, 8), ENOENT);
	CHECK_EQ(connect_to(a, 500, 7), 0);
	CHECK_EQ(connect_to(b, 500, 7), EBUSY);
	soclose(a);
	CHECK_EQ(connect_to(b, 500, 7), 0);
	soclose(b);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

KTEST(a_controller_may_refuse_a_client)
{
	struct socket *so = control_socket(SOCK_DGRAM);
	struct sockaddr_storage ss;
	u_int32_t id = k_register();

	k.connect_error = EACCES;
	CHECK_EQ(connect_to(so, id, 0), EACCES);
	/* ctl_disconnect is called all the same, and the unit is free. */
	CHECK_STR(trail, "cd");
	CHECK_EQ(k.unit, 1);
	CHECK_EQ(sogetpeername(so, &ss), EINVAL);
	CHECK_EQ(ctl_deregister(k.ref), 0);
	soclose(so);
	CHECK_STR(trail, "cd");
}

/* Interface fact: bind says no, and takes the unit. */
KTEST(binding_takes_a_unit)
{
	struct sockaddr_ctl sac;
	struct socket *so = control_socket(SOCK_DGRAM);
	const struct sockaddr *sa = (const struct sockaddr *)(const void *)&sac;
	u_int32_t id = k_register();

	sac = ctl_name(id + 1, 0);
	CHECK_EQ(sobind(so, sa), ENOENT);
	CHECK_EQ(ctl_deregister(k.ref), 0);
	id = k_register();
	sac = ctl_name(id, 9);
	CHECK_EQ(sobind(so, sa), EINVAL);
	CHECK_STR(trail, "");
	CHECK_EQ(ctl_deregister(k.ref), EBUSY);
	/* Where it is connected to does not matter any more. */
	CHECK_EQ(connect_to(so, 12345, 3), 0);
	CHECK_EQ(unit_of(so), 9);
	soclose(so);
	CHECK_STR(trail, "cd");
	so = control_socket(SOCK_DGRAM);
	CHECK_EQ(sobind(so, sa), EINVAL);
	CHECK_EQ(ctl_deregister(k.ref), EBUSY);
	soclose(so);
	CHECK_STR(trail, "cd");
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

/* ---- to the controller -------------------------------------------------------------------- */

KTEST(a_message_is_one_call)
{
	static char large[2049];
	struct socket *so;
	size_t sent;
	u_int32_t id = k_register();

	so = k_client(id);
	CHECK_EQ(send_text(so, "one message"), 0);
	CHECK_STR(trail, "s");
	CHECK_EQ(k.len, 11);
	CHECK_EQ(memcmp(k.data, "one message", 11), 0);
	CHECK_EQ(k.unit, 1);
	CHECK(k.unitinfo == (void *)0x1001);
	CHECK_EQ(k.flags, 0);
	CHECK_EQ(send_flags(so, "oob", MSG_OOB), 0);
	CHECK_EQ(k.flags, 1);
	CHECK_EQ(send_flags(so, "eof", MSG_EOF), 0);
	CHECK_EQ(k.flags, 2);
	k.send_error = EDOM;
	CHECK_EQ(send_text(so, "no"), EDOM);
	k.send_error = 0;
	CHECK_EQ(sosend(so, NULL, large, 2048, NULL, NULL, 0, &sent), 0);
	CHECK_EQ(k.len, 2048);
	CHECK_EQ(sosend(so, NULL, large, 2049, NULL, NULL, 0, &sent), EMSGSIZE);
	/* Nothing stays in the send buffer, and ancillary data does not arrive. */
	CHECK_EQ(so->so_snd.sb_cc, 0);
	CHECK_EQ(sosend(so, NULL, "x", 1, NULL, sbcreatecontrol(curmachine(), large, 4, 1, SOL_SOCKET), 0,
	    &sent), 0);
	CHECK_EQ(soshutdown(so, SHUT_WR), EOPNOTSUPP);
	soclose(so);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

KTEST(a_stream_comes_in_pieces)
{
	static char large[5000];
	struct socket *so = control_socket(SOCK_STREAM);
	size_t sent;
	u_int32_t id = k_register_flags(CTL_FLAG_REG_SOCK_STREAM);

	CHECK_EQ(connect_to(so, id, 0), 0);
	fresh_trail();
	CHECK_EQ(sosend(so, NULL, large, sizeof large, NULL, NULL, 0, &sent), 0);
	CHECK_EQ(sent, sizeof large);
	CHECK_STR(trail, "sss");
	CHECK_EQ(k.len, 5000 - 2 * 2048);
	soclose(so);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

KTEST(a_controller_need_not_take_anything)
{
	struct kern_ctl_reg reg = {.ctl_name = "deaf", .ctl_connect = k_connect};
	struct socket *so = control_socket(SOCK_DGRAM);
	char value[4] = "abc";
	struct sockopt sopt = {SOPT_GET, SYSPROTO_CONTROL, 1, value, sizeof value};

	memset(&k, 0, sizeof k);
	CHECK_EQ(ctl_register(&reg, &k.ref), 0);
	CHECK_EQ(set_option(so, SYSPROTO_CONTROL, 1, value, 4), EINVAL);
	CHECK_EQ(connect_to(so, reg.ctl_id, 0), 0);
	CHECK_EQ(send_text(so, "into the void"), ENOTSUP);
	CHECK_EQ(set_option(so, SYSPROTO_CONTROL, 1, value, 4), ENOTSUP);
	CHECK_EQ(sogetopt(so, &sopt), ENOTSUP);
	soclose(so);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

/* ---- options ------------------------------------------------------------------------------ */

KTEST(options_carry_any_bytes)
{
	struct socket *so = control_socket(SOCK_DGRAM);
	char value[8] = "given";
	struct sockopt sopt = {SOPT_GET, SYSPROTO_CONTROL, -5, value, sizeof value};
	u_int32_t id = k_register();

	CHECK_EQ(sogetopt(so, &sopt), EINVAL);
	soclose(so);
	so = k_client(id);
	CHECK_EQ(set_option(so, SYSPROTO_CONTROL, 12345, "value", 5), 0);
	CHECK_EQ(k.opt, 12345);
	CHECK_EQ(k.len, 5);
	CHECK_EQ(memcmp(k.data, "value", 5), 0);
	CHECK_EQ(set_option(so, SYSPROTO_CONTROL, 1, NULL, 0), 0);
	CHECK(k.no_data && k.len == 0);
	/* What the caller has there is there; the length is the controller's. */
	k.answer_len = 3;
	CHECK_EQ(sogetopt(so, &sopt), 0);
	CHECK_EQ(k.opt, -5);
	CHECK_EQ(k.len, 8);
	CHECK_EQ(memcmp(k.data, "given", 5), 0);
	CHECK_EQ(sopt.sopt_valsize, 3);
	CHECK_EQ(memcmp(value, "AAAen", 5), 0);
	/* Only the size is asked for. */
	k.answer_len = 100;
	sopt = (struct sockopt){SOPT_GET, SYSPROTO_CONTROL, 1, NULL, 7};
	CHECK_EQ(sogetopt(so, &sopt), 0);
	CHECK(k.no_data && k.len == 7);
	CHECK_EQ(sopt.sopt_valsize, 100);
	/* Errors are the controller's, and change nothing. */
	k.option_error = ERANGE;
	sopt = (struct sockopt){SOPT_GET, SYSPROTO_CONTROL, 1, value, 4};
	k.answer_len = 1;
	CHECK_EQ(sogetopt(so, &sopt), ERANGE);
	CHECK_EQ(sopt.sopt_valsize, 4);
	CHECK_EQ(set_option(so, SYSPROTO_CONTROL, 1, value, 1), ERANGE);
	k.option_error = 0;
	CHECK_EQ(set_option(so, 6, 1, value, 1), EINVAL);
	CHECK_EQ(set_int(so, SO_RCVBUF, 5000), 0);
	CHECK_EQ(get_int(so, SO_RCVBUF), 5000);
	CHECK_STR(trail, "oogggo");
	fail_after(1);
	CHECK_EQ(set_option(so, SYSPROTO_CONTROL, 1, value, 1), ENOMEM);
	fail_after(0);
	soclose(so);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

KTEST_PANICS(more_than_there_is_room_for_panics, "ctl_getopt gave 9 bytes of option 1; there was room for 8")
{
	struct socket *so;
	char value[8];
	struct sockopt sopt = {SOPT_GET, SYSPROTO_CONTROL, 1, value, sizeof value};
	u_int32_t id = k_register();

	so = k_client(id);
	k.answer_len = 9;
	(void)sogetopt(so, &sopt);
}

/* ---- to the client ------------------------------------------------------------------------ */

KTEST(data_joins_the_last_record_until_it_ends)
{
	struct socket *so;
	u_int32_t id = k_register();

	so = k_client(id);
	CHECK_EQ(put(1, "ab", 0), 0);
	CHECK_EQ(put(1, "cd", 0), 0);
	CHECK_EQ(put(1, "ef", CTL_DATA_EOR), 0);
	CHECK_EQ(put(1, "next", CTL_DATA_EOR), 0);
	CHECK_EQ(put(1, "open", 0), 0);
	CHECK_STR(receive_text(so), "abcdef");
	CHECK_STR(receive_text(so), "next");
	CHECK_STR(receive_text(so), "open");
	CHECK_EQ(put(1, "another", 0), 0);
	CHECK_STR(receive_text(so), "another");
	CHECK_EQ(receive_error(so), EWOULDBLOCK);
	CHECK_EQ(put(2, "nobody", 0), EINVAL);
	soclose(so);
	CHECK_EQ(put(1, "gone", 0), EINVAL);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

KTEST(a_stream_has_no_records_to_see)
{
	struct socket *so = control_socket(SOCK_STREAM);
	char text[20];
	struct so_received r;
	u_int32_t id = k_register_flags(CTL_FLAG_REG_SOCK_STREAM);

	CHECK_EQ(connect_to(so, id, 0), 0);
	CHECK_STR(receive_text(so), "hello");
	CHECK_EQ(put(1, "abcd", 0), 0);
	CHECK_EQ(put(1, "efgh", 0), 0);
	CHECK_EQ(soreceive(so, text, 6, 0, &r), 0);
	CHECK_EQ(r.len, 6);
	CHECK_STR(receive_text(so), "gh");
	soclose(so);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

KTEST(space_is_all_or_nothing)
{
	static char bytes[8192];
	struct socket *so;
	size_t space;
	u_int32_t missing;
	u_int32_t id = k_register();

	so = k_client(id);
	CHECK_EQ(ctl_getenqueuespace(k.ref, 1, NULL), EINVAL);
	CHECK_EQ(ctl_getenqueuespace(k.ref, 2, &space), EINVAL);
	CHECK_EQ(ctl_getenqueuereadable(k.ref, 2, &missing), EINVAL);
	CHECK_EQ(ctl_getenqueuereadable(k.ref, 1, NULL), EINVAL);
	CHECK_EQ(ctl_getenqueuespace(k.ref, 1, &space), 0);
	CHECK_EQ(space, 8192);
	CHECK_EQ(set_int(so, SO_RCVLOWAT, 10), 0);
	CHECK_EQ(ctl_getenqueuereadable(k.ref, 1, &missing), 0);
	CHECK_EQ(missing, 10);
	CHECK_EQ(put(1, "four", CTL_DATA_EOR), 0);
	CHECK_EQ(ctl_getenqueuereadable(k.ref, 1, &missing), 0);
	CHECK_EQ(missing, 6);
	CHECK(!(soready(so) & SO_READABLE));
	CHECK_EQ(ctl_enqueuedata(k.ref, 1, bytes, 8189, 0), ENOBUFS);
	CHECK_EQ(ctl_enqueuedata(k.ref, 1, bytes, 8188, CTL_DATA_EOR), 0);
	CHECK_EQ(ctl_getenqueuereadable(k.ref, 1, &missing), 0);
	CHECK_EQ(missing, 0);
	CHECK_EQ(ctl_getenqueuespace(k.ref, 1, &space), 0);
	CHECK_EQ(space, 0);
	CHECK_EQ(put(1, "x", 0), ENOBUFS);
	CHECK_STR(receive_text(so), "four");
	CHECK_EQ(put(1, "x", 0), 0);
	/* What the packets take counts, too. */
	so->so_rcv.sb_mbmax = so->so_rcv.sb_mbcnt + 1;
	CHECK_EQ(ctl_getenqueuespace(k.ref, 1, &space), 0);
	CHECK_EQ(space, 1);
	soclose(so);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

KTEST(packets_are_consumed_or_stay)
{
	struct socket *so;
	mbuf_t m = NULL;
	u_int32_t id = k_register();

	so = k_client(id);
	CHECK_EQ(mbuf_get(MBUF_WAITOK, MBUF_TYPE_DATA, &m), 0);
	CHECK_EQ(ctl_enqueuembuf(k.ref, 1, m, 0), EINVAL);
	mbuf_freem(m);
	CHECK_EQ(mbuf_gethdr(MBUF_WAITOK, MBUF_TYPE_DATA, &m), 0);
	CHECK_EQ(mbuf_copyback(m, 0, 6, "packet", MBUF_WAITOK), 0);
	CHECK_EQ(ctl_enqueuembuf(k.ref, 2, m, 0), EINVAL);
	CHECK_EQ(ctl_enqueuembuf(NULL, 1, m, 0), EINVAL);
	CHECK_EQ(ctl_enqueuembuf(k.ref, 1, m, CTL_DATA_EOR), 0);
	CHECK_STR(receive_text(so), "packet");
	CHECK_EQ(mbuf_gethdr(MBUF_WAITOK, MBUF_TYPE_DATA, &m), 0);
	CHECK_EQ(mbuf_copyback(m, 0, 6, "packet", MBUF_WAITOK), 0);
	CHECK_EQ(soshutdown(so, SHUT_RD), 0);
	CHECK_EQ(ctl_enqueuembuf(k.ref, 1, m, 0), ENOBUFS);
	CHECK_EQ(put(1, "x", 0), ENOBUFS);
	mbuf_freem(m);
	soclose(so);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

static unsigned told_ready;

static void
told(struct so_watcher *w, unsigned ready)
{
	(void)w;
	told_ready += (ready & SO_READABLE) != 0;
}

KTEST(a_reader_is_woken_unless_more_comes)
{
	struct so_watcher w;
	struct socket *so;
	u_int32_t id = k_register();

	so = k_client(id);
	told_ready = 0;
	so_watch(so, &w, told);
	CHECK_EQ(put(1, "not yet", CTL_DATA_NOWAKEUP), 0);
	CHECK_EQ(told_ready, 0);
	CHECK_EQ(put(1, ", now", 0), 0);
	CHECK_EQ(told_ready, 1);
	so_unwatch(&w);
	CHECK_STR(receive_text(so), "not yet, now");
	fail_after(1);
	CHECK_EQ(put(1, "x", 0), ENOMEM);
	fail_after(0);
	soclose(so);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

/* ---- the end ------------------------------------------------------------------------------ */

KTEST(the_unit_is_there_until_ctl_disconnect_returns)
{
	u_int32_t id = k_register();

	soclose(k_client(id));
	CHECK_STR(trail, "d");
	CHECK_EQ(k.deregister, EBUSY);
	/* The socket is shut, but there. */
	CHECK_EQ(k.enqueue, 0);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

static void
send_slowly(void *so, wait_result_t why)
{
	(void)why;
	CHECK_EQ(send_text(so, "slow"), 0);
	mark('S');
}

KTEST(the_end_waits_for_callbacks)
{
	struct socket *so;
	u_int32_t id = k_register();

	so = k_client(id);
	k.sleeps = true;
	so_retain(so);
	start(send_slowly, so);
	sleep_for(MS);
	CHECK_STR(trail, "s");
	soclose(so);
	CHECK_STR(trail, "sSd");
	so_release(so);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

/* On a Mac it would wait for itself. */
KTEST(a_callback_may_close_its_client)
{
	struct socket *so;
	u_int32_t id = k_register();

	so = k_client(id);
	so_retain(so);
	k.closes = so;
	CHECK_EQ(send_text(so, "close me"), 0);
	CHECK_STR(trail, "sd");
	so_release(so);
	so = control_socket(SOCK_DGRAM);
	so_retain(so);
	k.closes = so;
	CHECK_EQ(connect_to(so, id, 0), ECONNABORTED);
	CHECK_STR(trail, "sdcd");
	so_release(so);
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

/* ---- kexts -------------------------------------------------------------------------------- */

KTEST(a_kext_can_be_a_client)
{
	struct sockaddr_ctl sac, peer;
	socket_t so;
	char text[8];
	struct iovec iov = {text, 5};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t len;

	sac = ctl_name(k_register(), 0);
	CHECK_EQ(sock_socket(PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL, NULL, NULL, &so), 0);
	CHECK_EQ(sock_connect(so, (struct sockaddr *)(void *)&sac, 0), 0);
	CHECK_EQ(sock_receive(so, &msg, 0, &len), 0);
	CHECK_EQ(len, 5);
	CHECK_EQ(memcmp(text, "hello", 5), 0);
	CHECK_EQ(sock_send(so, &msg, 0, &len), 0);
	CHECK_EQ(memcmp(k.data, "hello", 5), 0);
	CHECK_EQ(sock_getpeername(so, (struct sockaddr *)(void *)&peer, sizeof peer), 0);
	CHECK_EQ(peer.sc_unit, 1);
	sock_close(so);
	CHECK_STR(trail, "csd");
	CHECK_EQ(ctl_deregister(k.ref), 0);
}

static char report[4096];

static errno_t
load(int (*start_routine)(void *, void *), struct kext **kext)
{
	struct kext_params params = {
		.identifier = "org.example.control", .version = "1.0", .start = start_routine,
	};
	struct kext_text text = {report, sizeof report};

	return kext_load(curmachine(), &params, kext, &text);
}

static int
start_well(void *kmod, void *data)
{
	(void)kmod;
	(void)data;
	(void)k_register();
	return KERN_SUCCESS;
}

static struct socket *early;

static int
start_badly(void *kmod, void *data)
{
	(void)kmod;
	(void)data;
	CHECK_EQ(connect_to(early, k_register(), 0), 0);
	return KERN_FAILURE;
}

KTEST(a_controller_that_a_kext_leaves_is_named)
{
	struct kext_text text = {report, sizeof report};
	struct socket *so;
	struct kext *kext;
	unsigned leaks;

	CHECK_EQ(load(start_well, &kext), 0);
	so = k_client(1);
	CHECK_EQ(kext_unload(curmachine(), kext, &leaks, &text), EBUSY);
	CHECK(strnstr(report, "kernel control \"org.example.control\", id 1, 1 client", sizeof report) !=
	    NULL);
	soclose(so);
	CHECK_EQ(ctl_deregister(k.ref), 0);
	CHECK_EQ(kext_unload(curmachine(), kext, &leaks, &text), 0);
	CHECK_EQ(leaks, 0);
}

KTEST(a_kext_that_does_not_start_keeps_no_client)
{
	struct sockaddr_storage ss;
	struct kext *kext;
	int count = -1;

	early = control_socket(SOCK_DGRAM);
	CHECK_EQ(load(start_badly, &kext), EIO);
	CHECK(kext == NULL);
	CHECK_STR(trail, "c");
	CHECK_EQ(soioctl(early, CTLIOCGCOUNT, &count), 0);
	CHECK_EQ(count, 0);
	CHECK_EQ(sogetpeername(early, &ss), EINVAL);
	CHECK_EQ(send_text(early, "x"), EPIPE);
	soclose(early);
}

/* ---- without memory ----------------------------------------------------------------------- */

static errno_t
whole_life(void)
{
	struct kern_ctl_reg reg = k_reg("org.example.control", 0);
	struct socket *so = NULL;
	char value[4];
	struct sockopt sopt = {SOPT_GET, SYSPROTO_CONTROL, 1, value, sizeof value};
	errno_t error, put_error;

	memset(&k, 0, sizeof k);
	error = ctl_register(&reg, &k.ref);
	if (error != 0)
		return error;
	k.answer_len = 4;
	error = socreate(curmachine(), PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL, &so);
	if (error == 0) {
		error = connect_to(so, reg.ctl_id, 0);
		if (error == 0)
			error = send_text(so, "text");
		if (error == 0)
			error = sogetopt(so, &sopt);
		put_error = put(1, "text", 0);
		if (error == 0)
			error = put_error;
		soclose(so);
	}
	CHECK_EQ(ctl_deregister(k.ref), 0);
	return error;
}

KTEST(without_memory_nothing_is_left)
{
	unsigned failed = 0;

	CHECK_EQ(whole_life(), 0);
	for (unsigned n = 1; n < 30; n++) {
		int before = curmachine()->sockets->count;
		errno_t error;

		fail_after(n);
		error = whole_life();
		fail_after(0);
		CHECK_EQ(curmachine()->sockets->count, before);
		CHECK(error == 0 || error == ENOMEM || error == ENOBUFS);
		failed += error != 0;
	}
	CHECK(failed >= 4);
}

KTEST_SUITE(kern_control, T(a_controller_needs_a_name_and_a_way_to_connect),
    T(a_reference_is_never_given_twice), T(ids_go_up_and_come_again_only_from_the_top),
    T(when_ids_are_used_up_the_first_gap_is_taken), T(who_has_an_id_or_a_name_keeps_it),
    T(sizes_have_defaults_and_a_limit), T(programs_find_a_controller_by_its_name),
    T(a_client_gets_a_unit), T(units_are_the_lowest_that_are_free), T(units_can_be_used_up),
    T(a_connection_is_refused_for_a_reason), T(a_controller_with_a_unit_has_one_client),
    T(a_controller_may_refuse_a_client), T(binding_takes_a_unit), T(a_message_is_one_call),
    T(a_stream_comes_in_pieces), T(a_controller_need_not_take_anything), T(options_carry_any_bytes),
    T(more_than_there_is_room_for_panics), T(data_joins_the_last_record_until_it_ends),
    T(a_stream_has_no_records_to_see), T(space_is_all_or_nothing), T(packets_are_consumed_or_stay),
    T(a_reader_is_woken_unless_more_comes), T(the_unit_is_there_until_ctl_disconnect_returns),
    T(the_end_waits_for_callbacks), T(a_callback_may_close_its_client), T(a_kext_can_be_a_client),
    T(a_controller_that_a_kext_leaves_is_named), T(a_kext_that_does_not_start_keeps_no_client),
    T(without_memory_nothing_is_left));
