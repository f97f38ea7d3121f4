/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/shell_programs.h"

enum check {
	NO_ARGUMENT, /* none may be foreign */
	ANY_ARGUMENT,
	BY_OPTIONS, /* foreign ones where the list of options says so */
	IS_PRINTF,
	IS_TEST,
};

enum {
	READS = 1,    /* its standard input may be foreign; else it reads none */
	FILTERS = 2,  /* it moves bytes about, or may read orders: nothing foreign */
	OPERANDS = 4, /* operands may be foreign */
	LISTED = 8,   /* it reads none with the options of the list */
	STRICT = 16,  /* operands may not be made by unquoted variables */
};

/* An option's last byte says what its argument may be: ":" nothing foreign, "!"
 * foreign, "1" foreign and of one line, "=" foreign behind a literal "=". */
struct program {
	const char *name;
	enum check check;
	int flags;
	const char *options;
};

static const struct program programs[] = {
    {":", NO_ARGUMENT, 0, ""},
    {"true", NO_ARGUMENT, 0, ""},
    {"false", NO_ARGUMENT, 0, ""},
    {"exit", NO_ARGUMENT, 0, ""},
    {"date", BY_OPTIONS, LISTED, "-u -R -I"},        /* but -f - */
    {"hostname", BY_OPTIONS, LISTED, "-f -s -d -i"}, /* but -F - */
    {"uname", NO_ARGUMENT, 0, ""},
    {"sleep", NO_ARGUMENT, 0, ""},
    {"rm", NO_ARGUMENT, 0, ""},
    {"touch", NO_ARGUMENT, 0, ""},
    {"whois", NO_ARGUMENT, 0, ""},
    {"host", NO_ARGUMENT, 0, ""},
    {"dig", NO_ARGUMENT, FILTERS, ""}, /* -f - */
    {"getent", NO_ARGUMENT, 0, ""},
    {"geoiplookup", NO_ARGUMENT, 0, ""},
    {"geoiplookup6", NO_ARGUMENT, 0, ""},
    {"tr", NO_ARGUMENT, FILTERS, ""},
    {"cut", NO_ARGUMENT, FILTERS, ""},
    {"sort", NO_ARGUMENT, FILTERS, ""},
    {"fold", NO_ARGUMENT, FILTERS, ""},
    {"fmt", NO_ARGUMENT, FILTERS, ""},
    {"uniq", NO_ARGUMENT, FILTERS, ""},
    {"cat", BY_OPTIONS, READS, ""},
    {"tee", BY_OPTIONS, READS, "-a"},
    {"head", BY_OPTIONS, READS, "-n:"},
    {"tail", BY_OPTIONS, READS, "-n:"},
    {"wc", BY_OPTIONS, READS, "-l -w -c"},
    {"grep", BY_OPTIONS, READS, "-m: -e: -w -F -wF -i -v -c -q -E -n -h -a"},
    {"printf", IS_PRINTF, 0, ""},
    {"echo", ANY_ARGUMENT, 0, ""},
    {"test", IS_TEST, 0, ""},
    {"[", IS_TEST, 0, ""},
    {"logger", BY_OPTIONS, READS | OPERANDS,
	"-t! --tag! -p: --priority: -i -s --id --stderr"},
    {"mail", BY_OPTIONS, READS, "-s1 -E -n -r: -a: -c: -b:"},
    {"mailx", BY_OPTIONS, READS, "-s1 -E -n -r: -a: -c: -b:"},
    {"sendmail", BY_OPTIONS, READS, "-f: -F: -r: -i -oi"},
    {"curl", BY_OPTIONS, READS | STRICT,
	"-d! --data! --data-ascii! --data-binary! --data-raw! --form-string= "
	"--data-urlencode= -X: --request: -H: --header: -A: --user-agent: -u: "
	"--user: -m: --max-time: --connect-timeout: --retry: -o: --output: --url: "
	"-s -S -f -k -g -sS -Ss -sf -fs -sSf -sfS -fsS -fSs -Ssf -Sfs -sk -ks -sSk "
	"-XPOST -L -sL -sSL --silent --show-error --fail --insecure --compressed"},
};

/* Programs that run or interpret what they get, and words of the shell, which may name
 * variables by it or change what a later command means. For all others "word" is
 * enough. */
static const char *const interpreters[] = {".", "alias", "ash", "at", "atd", "awk",
    "bash", "batch", "bc", "bg", "bind", "break", "builtin", "bunzip2", "busybox",
    "caller", "cd", "chdir", "chroot", "chrt", "command", "compgen", "complete",
    "compopt", "continue", "coproc", "csh", "dash", "dc", "declare", "dirs", "disown",
    "doas", "ed", "elvish", "emacs", "enable", "entr", "env", "eval", "ex", "exec",
    "expect", "export", "expr", "fc", "fg", "find", "fish", "flock", "gawk", "gdb",
    "getopts", "git", "gsed", "hash", "help", "history", "ionice", "jobs", "jq", "kill",
    "ksh", "let", "local", "logout", "lua", "m4", "make", "mapfile", "mariadb", "mawk",
    "mksh", "mysql", "nawk", "nice", "node", "nodejs", "nohup", "nsenter", "nu", "oksh",
    "osh", "parallel", "pdksh", "perl", "php", "pkexec", "popd", "psql", "pushd", "pwd",
    "pwsh", "pypy3", "python", "rbash", "rc", "read", "readarray", "readonly",
    "redis-cli", "return", "rsh", "rsync", "ruby", "runcon", "runuser", "scp", "screen",
    "script", "sed", "set", "setpriv", "setsid", "sftp", "sh", "shift", "shopt",
    "socat", "source", "sqlite3", "ssh", "sshpass", "start-stop-daemon", "stdbuf",
    "strace", "su", "sudo", "suspend", "systemd-run", "tar", "taskset", "tclsh", "tcsh",
    "time", "timeout", "times", "tmux", "trap", "type", "typeset", "ulimit", "umask",
    "unalias", "unset", "unshare", "vi", "vim", "wait", "watch", "word", "xargs",
    "yash", "zsh"};

/* --- words -------------------------------------------------------------------------
 */

static bool is_literal(const struct shell_word *w)
{
	return w->n_expansions == 0 && w->n_head <= sizeof(w->head);
}

static struct span head_of(const struct shell_word *w)
{
	size_t n = w->n_head < sizeof(w->head) ? w->n_head : sizeof(w->head);

	return (struct span){w->head, n};
}

static bool is_word(const struct shell_word *w, const char *text)
{
	return is_literal(w) && span_eq(head_of(w), span_of(text));
}

static struct span base_name(const struct shell_word *w)
{
	struct span name = head_of(w);

	for (size_t i = name.n; i > 0; i--) {
		if (name.p[i - 1] == '/')
			return span_skip(name, i);
	}
	return name;
}

static const struct program *find_program(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		if (span_eq(name, span_of(programs[i].name)))
			return &programs[i];
	}
	return NULL;
}

/* python3.11 is python. */
static bool is_interpreter(struct span name)
{
	struct span stem = name;

	while (stem.n > 1 && strchr("0123456789.", stem.p[stem.n - 1]))
		stem.n--;
	for (size_t i = 0; i < ARRAY_LEN(interpreters); i++) {
		struct span one = span_of(interpreters[i]);

		if (span_eq(name, one) || span_eq(stem, one))
			return true;
	}
	return false;
}

/* --- what a program allows ---------------------------------------------------------
 */

/* What an option's argument may be: a mark as above, ' ' for an option without one,
 * '\0' for an option that is not listed. */
static char option_mark(const struct program *p, const struct shell_word *w)
{
	struct span rest = span_of(p->options), one;

	if (!is_literal(w))
		return '\0';
	while (span_next_word(&rest, "", &one)) {
		char last = one.p[one.n - 1];

		if (span_eq(one, head_of(w)))
			return ' ';
		if (strchr(":!1=", last) &&
		    span_eq((struct span){one.p, one.n - 1}, head_of(w)))
			return last;
	}
	return '\0';
}

static bool is_allowed(char mark, const struct shell_word *w)
{
	switch (mark) {
	case '!':
		return !w->starts_derived &&
		       !(w->is_foreign && w->first_literal == '@');
	case '1':
		return !w->has_derived && !w->has_lines;
	case '=':
		return !w->is_foreign || span_index(head_of(w), '=') >= 0;
	default:
		return !w->is_foreign;
	}
}

/* head -5 */
static bool is_count(const struct shell_word *w)
{
	int64_t n;

	return is_literal(w) && span_to_i64(head_of(w), &n) == 0;
}

static bool options_ok(const struct program *p, const struct shell_word *w, size_t n)
{
	bool are_over = false;

	for (size_t i = 1; i < n; i++) {
		bool is_option = !are_over && w[i].n_head > 1 && w[i].head[0] == '-';

		if (is_option && is_word(&w[i], "--")) {
			are_over = true;
		} else if (is_option && !is_count(&w[i])) {
			char mark = option_mark(p, &w[i]);

			if (!mark)
				return false;
			if (mark == ' ')
				continue;
			if (++i == n || w[i].has_bare || !is_allowed(mark, &w[i]))
				return false;
		} else if (((p->flags & STRICT) && w[i].has_bare) ||
			   (w[i].is_foreign &&
			       (!(p->flags & OPERANDS) || w[i].starts_derived ||
				   (!are_over && w[i].first_literal == '-')))) {
			return false;
		}
	}
	return true;
}

/* The format is a literal; it takes no width, and bash's %n no variable's name, out of
 * an argument. */
static bool printf_ok(const struct shell_word *w, size_t n)
{
	size_t i = n > 1 && is_word(&w[1], "--") ? 2 : 1;

	return i < n && w[i].n_expansions == 0 && !w[i].is_odd_format &&
	       !w[i].has_glob && !(i == 1 && w[i].n_head && w[i].head[0] == '-');
}

static bool is_one_of(const struct shell_word *w, const char *words)
{
	struct span rest = span_of(words), one;

	while (span_next_word(&rest, "", &one)) {
		if (is_literal(w) && span_eq(head_of(w), one))
			return true;
	}
	return false;
}

/* Forms of which POSIX says what they mean whatever the operands hold. */
static bool test_ok(const struct shell_word *w, size_t n)
{
	if (is_word(&w[0], "[")) {
		if (n < 2 || !is_word(&w[n - 1], "]"))
			return false;
		n--;
	}
	for (size_t i = 1; i < n; i++) {
		if (w[i].has_bare)
			return false;
	}
	if (n > 3 && is_word(&w[1], "!")) {
		w++;
		n--;
	}
	if (n == 3)
		return is_one_of(&w[1], "-n -z");
	return n == 4 && is_one_of(&w[2], "= != -eq -ne -gt -ge -lt -le");
}

static bool is_known_use(
    const struct program *p, const struct shell_word *w, size_t n, bool stdin_foreign)
{
	bool is_foreign = false;

	for (size_t i = 1; i < n; i++)
		is_foreign |= w[i].is_foreign;
	if (stdin_foreign && (p->flags & FILTERS))
		return false;
	if (!is_foreign && !(stdin_foreign && (p->flags & (READS | LISTED))))
		return true;
	switch (p->check) {
	case NO_ARGUMENT:
		return false;
	case ANY_ARGUMENT:
		return true;
	case BY_OPTIONS:
		return options_ok(p, w, n);
	case IS_PRINTF:
		return printf_ok(w, n);
	case IS_TEST:
		return test_ok(w, n);
	}
	return false;
}

/* A word that is a tag and nothing else, or --name=TAG. */
static bool is_word_alone(const struct shell_word *w)
{
	if (w->has_derived || w->n_expansions != 1 || !w->is_tag_last)
		return false;
	if (w->n_literals == 0)
		return true;
	if (w->n_literals != w->n_head || w->n_head > sizeof(w->head) ||
	    w->head[0] != '-' || w->head[w->n_head - 1] != '=')
		return false;
	for (size_t i = 1; i + 1 < w->n_head; i++) {
		if (!shell_is_alnum(w->head[i]) && w->head[i] != '-')
			return false;
	}
	return true;
}

enum shell_form shell_program_form(const struct shell_word *words, size_t n,
    bool is_stdin_foreign, size_t *out_at, const char **out_why)
{
	const struct program *p = find_program(base_name(&words[0]));

	for (size_t i = 1; i < n; i++) {
		*out_at = words[i].at;
		*out_why = "a value could become several words or a pattern here";
		if (words[i].has_bare_foreign ||
		    (words[i].is_foreign && words[i].has_glob))
			return SHELL_INERT;
		*out_why = "what stands before a value could be a backslash";
		if (words[i].is_odd_escape)
			return SHELL_INERT;
	}
	if (p && is_known_use(p, words, n, is_stdin_foreign))
		return SHELL_WHOLE;
	*out_at = words[0].at;
	*out_why = "this program runs or interprets what it is told";
	if (is_interpreter(base_name(&words[0])))
		return SHELL_INERT;
	*out_why = "this program is not to have a foreign value in that place";
	if (p)
		return SHELL_INERT;
	*out_why = "what this program makes of its input is not known";
	if (is_stdin_foreign)
		return SHELL_INERT;
	for (size_t i = 1; i < n; i++) {
		*out_at = words[i].at;
		*out_why = "what this program makes of such an argument is not known";
		if (words[i].is_foreign && !is_word_alone(&words[i]))
			return SHELL_INERT;
	}
	*out_at = words[0].at;
	*out_why = "what this program makes of its arguments is not known";
	return SHELL_WORD;
}

bool shell_program_ignores_stdin(const struct shell_word *name)
{
	const struct program *p = find_program(base_name(name));

	return p && !(p->flags & (READS | FILTERS));
}

bool shell_program_writes_file(const struct shell_word *name)
{
	return span_eq(base_name(name), SPAN("tee"));
}
