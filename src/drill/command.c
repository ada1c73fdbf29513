/*
 * Commands between back-ticks, and files of them: as much of a shell as scripts use to set variables before
 * they begin. sysctl acts on the machine; what prepares a host's kernel for a test and has no meaning for a
 * machine is passed over; all else is refused, unless --shell lets the host's shell have it.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <nke/sysctl.h>

#include "src/drill/engine.h"

#define WORDS_MAX	64u
#define FILES_DEEP	8u
#define FILE_MAX	(1u << 20)

struct line {
	char *words[WORDS_MAX];
	unsigned count;
	char *room;			/* what the words are in */
	const char *text;		/* as it stands */
	size_t len;
	struct drill_place place;
	unsigned deep;			/* in files of files */
};

static int run_text(struct run *, const char *text, size_t len, struct drill_place, unsigned deep, bool file);

/* ---- words -------------------------------------------------------------------------------------- */

/* $((15*1024*1024)): products and sums of numbers, from the left. */
static const char *
arithmetic(const char *p, const char *end, char **out)
{
	long long value = 0, n;
	char op = '+', *next;

	for (; p < end && *p != ')'; p++) {
		if (*p == ' ' || *p == '(')
			continue;
		if (strchr("+-*/", *p) != NULL) {
			op = *p;
			continue;
		}
		n = strtoll(p, &next, 0);
		if (next == p)
			break;
		if (op == '*')
			value = (long long)((unsigned long long)value * (unsigned long long)n);
		else if (op == '/')
			value = n != 0 ? value / n : 0;
		else
			value = (long long)((unsigned long long)value +
			    (op == '-' ? 0 - (unsigned long long)n : (unsigned long long)n));
		p = next - 1;
	}
	*out += sprintf(*out, "%lld", value);
	while (p < end && *p == ')')
		p++;
	return p;
}

/* A backslash at the end of a line. */
static bool
goes_on(const char *p, const char *end)
{
	return *p == '\\' && end - p > 1 && p[1] == '\n';
}

/* One word at `p`, written at `*out`; where it ends. */
static const char *
word(const char *p, const char *end, char **out)
{
	char quote = 0;

	for (; p < end; p++) {
		if (quote == 0 && (*p == ' ' || *p == '\t'))
			break;
		if (quote != '\'' && goes_on(p, end)) {
			p++;
			continue;
		}
		if (*p == quote) {
			quote = 0;
		} else if (quote == 0 && (*p == '"' || *p == '\'')) {
			quote = *p;
		} else if (quote != '\'' && end - p > 3 && strncmp(p, "$((", 3) == 0) {
			p = arithmetic(p + 3, end, out) - 1;
		} else {
			if (*p == '\\' && quote != '\'' && p + 1 < end)
				p++;
			*(*out)++ = *p;
		}
	}
	*(*out)++ = '\0';
	return p;
}

static int
split(struct run *r, struct line *l)
{
	const char *p = l->text, *end = p + l->len;
	char *out;

	/* A number of $((...)) may be longer than what it comes from. */
	l->room = out = malloc(l->len * 4 + 64);
	if (out == NULL)
		return fail(r, DRILL_BROKEN, l->place, "no memory");
	for (;;) {
		while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || goes_on(p, end)))
			p += goes_on(p, end) ? 2 : 1;
		if (p == end || *p == '#' || l->count == WORDS_MAX)
			break;
		l->words[l->count++] = out;
		p = word(p, end, &out);
	}
	return 0;
}

/* ---- what is done ------------------------------------------------------------------------------- */

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static bool
is_redirection(const char *w)
{
	return strchr(w, '>') != NULL || strcmp(w, "/dev/null") == 0;
}

static int
do_sysctl(struct run *r, const struct line *l)
{
	bool quiet = false, names_only = false;

	for (unsigned i = 1; i < l->count; i++) {
		const char *w = l->words[i];

		if (w[0] == '-') {
			quiet |= strchr(w, 'q') != NULL;
			names_only |= strchr(w, 'n') != NULL;
		} else if (is_redirection(w) && strchr(w, '=') == NULL) {
			continue;
		} else if (sysctl_word(r, w, quiet, names_only, l->place) != 0) {
			return -1;
		}
	}
	return 0;
}

/* /proc/sys/net/ipv4/tcp_ecn=1 */
static int
set_proc(struct run *r, const char *path, const char *value, struct drill_place place)
{
	static const char proc[] = "/proc/sys/";
	size_t len = strcspn(path, "=");
	char name[256];

	if (strncmp(path, proc, sizeof proc - 1) != 0)
		return fail(r, DRILL_BROKEN, place, "'%s' is no variable", path);
	snprintf(name, sizeof name, "%.*s=%s", (int)(len - (sizeof proc - 1)), path + sizeof proc - 1, value);
	for (char *p = name; *p != '\0' && *p != '='; p++)
		if (*p == '/')
			*p = '.';
	return sysctl_word(r, name, true, false, place);
}

static int
do_set_sysctls(struct run *r, const struct line *l)
{
	r->linux_dialect = true;
	for (unsigned i = 1; i < l->count; i++) {
		const char *equals = strchr(l->words[i], '=');

		if (set_proc(r, l->words[i], equals != NULL ? equals + 1 : "", l->place) != 0)
			return -1;
	}
	return 0;
}

/* echo 1 > /proc/sys/net/ipv4/tcp_ecn */
static int
do_echo(struct run *r, const struct line *l)
{
	const char *to = l->count >= 3 ? l->words[l->count - 1] : "";

	if (l->count == 4 && strcmp(l->words[2], ">") == 0 && strncmp(to, "/proc/sys/", 10) == 0)
		return set_proc(r, to, l->words[1], l->place);
	if (l->count == 4 && strcmp(l->words[2], ">") == 0 && strncmp(to, "/sys/", 5) == 0)
		return tell(r, 1, "passed over: %.*s", (int)l->len, l->text), 0;
	for (unsigned i = 1; i < l->count; i++)
		fprintf(r->out, "%s%s", l->words[i], i + 1 < l->count ? " " : "\n");
	return 0;
}

static int
do_sleep(struct run *r, const struct line *l)
{
	double seconds = l->count > 1 ? strtod(l->words[1], NULL) : 0;

	if (!(seconds >= 0 && seconds < 1e9))
		return 0;
	return run_to(r, now_us(r) + (int64_t)(seconds * 1e6));
}

/* `./setkey`: the program beside FreeBSD's scripts for Fast Open, which makes the server's key all zero. */
static int
do_setkey(struct run *r, const struct line *l)
{
	static const uint8_t zero[16];

	if (nke_sysctl(r->machine, "net.inet.tcp.fastopen.setkey", NULL, NULL, zero, sizeof zero) == 0)
		return 0;
	return fail(r, DRILL_BROKEN, l->place, "%s", nke_error_text(r->machine));
}

/* ---- files -------------------------------------------------------------------------------------- */

/* What Google's defaults.sh sets that a machine has not anyway: its suite has a link in place of the file. */
static const char google_defaults[] =
    "sysctl -q net.ipv4.tcp_rmem='4096 540000 15728640' net.ipv4.tcp_wmem='4096 262144 4194304'\n"
    "sysctl -q net.ipv4.tcp_ecn=0 net.ipv4.tcp_fastopen=0x70403 net.ipv4.tcp_syn_retries=5\n"
    "sysctl -q net.ipv4.tcp_slow_start_after_idle=0\n";

static FILE *
open_beside(const struct run *r, const char *path)
{
	const char *slash = strrchr(r->script->name, '/');
	char whole[PATH_MAX];
	FILE *f = NULL;

	if (path[0] != '/' && slash != NULL) {
		snprintf(whole, sizeof whole, "%.*s/%s", (int)(slash - r->script->name), r->script->name,
		    path);
		f = fopen(whole, "r");
	}
	return f != NULL ? f : fopen(path, "r");
}

static int
run_file(struct run *r, const char *path, struct drill_place place, unsigned deep)
{
	FILE *f = open_beside(r, path);
	struct stat st;
	char *text;
	size_t len;
	int result;

	if (f == NULL && strcmp(last_part(path), "defaults.sh") == 0)
		return run_text(r, google_defaults, sizeof google_defaults - 1, place, deep + 1, true);
	if (f == NULL)
		return fail(r, DRILL_BROKEN, place, "%s: %s", path, strerror(errno));
	text = fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) ? malloc(FILE_MAX) : NULL;
	if (text == NULL) {
		fclose(f);
		return fail(r, DRILL_BROKEN, place, "%s: no file, or no memory for it", path);
	}
	len = fread(text, 1, FILE_MAX, f);
	fclose(f);
	result = deep < FILES_DEEP ? run_text(r, text, len, place, deep + 1, true) :
	    fail(r, DRILL_BROKEN, place, "%s: files of files of files", path);
	free(text);
	return result;
}

/* ---- one line ----------------------------------------------------------------------------------- */

/* A script's own file, of zeros: it is there when it is opened (file.c). */
static bool
is_own_file(const struct line *l, const char *command)
{
	bool zeros = false, own = false;

	for (unsigned i = 1; i < l->count; i++) {
		const char *w = l->words[i];

		zeros |= strcmp(w, "if=/dev/zero") == 0;
		own |= strncmp(w, "of=/tmp/", 8) == 0 || strncmp(w, "/tmp/", 5) == 0;
		if (strcmp(command, "rm") == 0 && w[0] != '-' && strncmp(w, "/tmp/", 5) != 0)
			return false;
	}
	return own && (strcmp(command, "rm") == 0 || (zeros && strcmp(command, "dd") == 0));
}

static bool
is_harmless(const struct line *l)
{
	static const char *const words[] = {"true", ":", "sync", "kldload", "kldunload", "kldstat", "tc",
	    "ethtool", "set", "export", "modprobe", "exit", "tcpdump", "dmesg", "logger", "date", "uname",
	    "uptime", "killall", "pkill"};
	const char *w = last_part(l->words[0]);

	/* if [ ! -e ./setkey ]; then cc -o setkey setkey.c; fi */
	if (strcmp(w, "fi") == 0 || (strcmp(w, "if") == 0 && l->count > 1 && strcmp(l->words[1], "[") == 0))
		return true;
	if (strcmp(w, "then") == 0)
		return l->count > 1 && strcmp(l->words[1], "cc") == 0;
	/* Linux's counters and tables are not a machine's. */
	if (strcmp(w, "nstat") == 0)
		return true;
	for (unsigned i = 1; i < l->count && strcmp(w, "grep") == 0; i++)
		if (strncmp(l->words[i], "/proc/net/", 10) == 0)
			return true;
	if (is_own_file(l, w))
		return true;
	/* What is looked for in their output would not be found. */
	for (unsigned i = 1; i < l->count; i++)
		if (strcmp(l->words[i], "|") == 0)
			return false;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i], w) == 0)
			return true;
	if (strncmp(w, "sysctl_restore_", 15) == 0)
		return true;
	return l->count > 1 && strcmp(w, "ip") == 0 && (strcmp(l->words[1], "tcp_metrics") == 0 ||
	    strcmp(l->words[1], "link") == 0);
}

static int
to_shell(struct run *r, const struct line *l)
{
	char command[4096];
	int status;

	if (!r->config->shell)
		return fail(r, DRILL_BROKEN, l->place, "a command for the host: %.*s\n"
		    "  --shell lets the host's shell run such commands", (int)l->len, l->text);
	snprintf(command, sizeof command, "%.*s", (int)l->len, l->text);
	status = system(command);
	return status == 0 ? 0 : fail(r, DRILL_FAILED, l->place, "the command has failed: %s", command);
}

static int
run_line(struct run *r, const struct line *l)
{
	const char *w;

	if (l->count == 0)
		return 0;
	w = last_part(l->words[0]);
	if (strcmp(w, "sysctl") == 0)
		return do_sysctl(r, l);
	if (strcmp(w, "set_sysctls.py") == 0)
		return do_set_sysctls(r, l);
	if (strcmp(w, "echo") == 0)
		return do_echo(r, l);
	if (strcmp(w, "sleep") == 0)
		return do_sleep(r, l);
	if (strcmp(w, "sockstat") == 0)
		return connections_count(r, l->words, l->count, l->place);
	if (strcmp(w, "tcpdrop") == 0)
		return connections_drop(r, l->words, l->count, l->place);
	if (strcmp(l->words[0], "./setkey") == 0)
		return do_setkey(r, l);
	if (is_harmless(l))
		return tell(r, 1, "passed over: %.*s", (int)l->len, l->text), 0;
	if ((strcmp(w, ".") == 0 || strcmp(w, "source") == 0) && l->count > 1)
		return run_file(r, l->words[1], l->place, l->deep);
	if (ends_with(w, ".sh"))
		return run_file(r, l->words[0], l->place, l->deep);
	return to_shell(r, l);
}

/* Where a command ends: at the line's end, ; or &&, outside of quotes. */
static size_t
command_length(const char *p, size_t len)
{
	char quote = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] == quote)
			quote = 0;
		else if (quote == 0 && (p[i] == '"' || p[i] == '\''))
			quote = p[i];
		else if (quote == 0 && p[i] == '#' && (i == 0 || p[i - 1] == ' ' || p[i - 1] == '\t'))
			return i + strcspn(p + i, "\n") < len ? i + strcspn(p + i, "\n") : len;
		else if (p[i] == '\\' && i + 1 < len)
			i++;
		else if (quote == 0 && (p[i] == '\n' || p[i] == ';' ||
		    (p[i] == '&' && i + 1 < len && p[i + 1] == '&')))
			break;
	}
	return i;
}

static int
run_text(struct run *r, const char *text, size_t len, struct drill_place place, unsigned deep, bool file)
{
	int result = 0;

	while (len != 0 && result == 0) {
		size_t n = command_length(text, len);
		struct line l = {.text = text, .len = n, .place = place, .deep = deep};

		while (l.len != 0 && strchr(" \t\r\n", l.text[0]) != NULL) {
			l.text++;
			l.len--;
		}
		result = split(r, &l) != 0 ? -1 : run_line(r, &l);
		free(l.room);
		for (size_t i = 0; i < n && !file; i++)
			place.line += text[i] == '\n';
		text += n;
		len -= n;
		if (len != 0) {
			n = len > 1 && text[0] == '&' ? 2 : 1;
			if (text[0] == '\n' && !file) {
				place.line++;
				place.column = 1;
			}
			text += n;
			len -= n;
		}
	}
	return result;
}

int
run_command(struct run *r, const char *text, struct drill_place place)
{
	return run_text(r, text, strlen(text), place, 0, false);
}

int
run_command_file(struct run *r, const char *path, struct drill_place place)
{
	return run_file(r, path, place, 0);
}
