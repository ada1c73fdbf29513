/* How a process ended, as wait(2) says it. A kext waits for no process. */
#ifndef _SYS_WAIT_H_
#define _SYS_WAIT_H_

#include <sys/cdefs.h>
#include <sys/_types.h>
#include <sys/_types/_pid_t.h>
#include <sys/_types/_id_t.h>
#include <sys/signal.h>
#include <sys/resource.h>

#define WNOHANG 0x00000001
#define WUNTRACED 0x00000002
#define WEXITED 0x00000004
#define WSTOPPED 0x00000008
#define WCONTINUED 0x00000010
#define WNOWAIT 0x00000020
#define WCOREFLAG 0200

#define _WSTATUS(x) ((x) & 0177)
#define _WSTOPPED 0177

#define WIFEXITED(x) (_WSTATUS(x) == 0)
#define WEXITSTATUS(x) (((x) >> 8) & 0xff)
#define WIFSIGNALED(x) (_WSTATUS(x) != 0 && _WSTATUS(x) != _WSTOPPED)
#define WTERMSIG(x) _WSTATUS(x)
#define WCOREDUMP(x) (((x) & WCOREFLAG) != 0)
#define WIFSTOPPED(x) (_WSTATUS(x) == _WSTOPPED && ((x) >> 8) != 0x13)
#define WIFCONTINUED(x) (_WSTATUS(x) == _WSTOPPED && ((x) >> 8) == 0x13)
#define WSTOPSIG(x) ((x) >> 8)
#define W_EXITCODE(ret, sig) ((ret) << 8 | (sig))
#define W_STOPCODE(sig) ((sig) << 8 | _WSTOPPED)

#define WAIT_ANY (-1)
#define WAIT_MYPGRP 0

#endif
