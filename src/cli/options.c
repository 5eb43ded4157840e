#include "config.h"

#include "cli/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/num.h"
#include "base/time.h"
#include "expr/lex.h"

/* Longest program file. */
#define PROGRAM_MAX ((size_t)1 << 20)

static const struct option_def options[];

bool option_is_detail(const struct doc *d)
{
	for (unsigned i = 0; option_at(i); i++)
		if (&option_at(i)->doc == d)
			return option_at(i)->detail;
	return false;
}

const struct option_def *option_at(unsigned i)
{
	return options[i].doc.name ? &options[i] : NULL;
}

/* ---- what each option does ---- */

static int find_codec(const char *name, const struct codec_def **out, bool input, struct err *e)
{
	const struct codec_def *c = codec_find(name);
	struct nearest s;

	if (c && (input ? (void *)c->open : (void *)c->open_out)) {
		*out = c;
		return 0;
	}
	if (c)
		return err_set(e, ERR_USAGE, "format %s is for %s only", c->doc.name, input ? "output" : "input");
	err_set(e, ERR_USAGE, "unknown format \"%s\"", name);
	nearest_init(&s, name, strlen(name));
	codec_nearest(&s);
	if (s.best)
		return err_hint(e, "did you mean %s?", s.best);
	return err_hint(e, "`strm help formats` lists them");
}

static int take_input(struct options *o, const char *arg, struct err *e) { return find_codec(arg, &o->in, true, e); }
static int take_output(struct options *o, const char *arg, struct err *e) { return find_codec(arg, &o->out, false, e); }

static int add_source(struct options *o, const char *name, const char *spec)
{
	o->sources = xgrow(o->sources, &o->sources_cap, o->n_sources + 1, sizeof *o->sources);
	o->names = xgrow(o->names, &o->names_cap, o->n_sources + 1, sizeof *o->names);
	o->names[o->n_sources] = name;
	o->sources[o->n_sources++] = spec;
	return 0;
}

/* Bytes of a name in front of `=`, 0: none. A path that has one before its `=` keeps it: ./a=b. */
static size_t source_name_n(const char *arg)
{
	size_t n = 0;

	while ((unsigned)(arg[n] | 32) - 'a' < 26 || arg[n] == '_' || (n && (unsigned)arg[n] - '0' < 10))
		n++;
	return arg[n] == '=' ? n : 0;
}

/* [NAME=]SRC */
static int take_from(struct options *o, const char *arg, struct err *e)
{
	size_t n = source_name_n(arg);

	if (n && !arg[n + 1]) {
		err_set(e, ERR_USAGE, "\"%s\" names no source", arg);
		return err_hint(e, "--from NAME=SRC gives the input a name, and a file called %s is ./%s", arg, arg);
	}
	return n ? add_source(o, arena_str(&o->arena, arg, n), arg + n + 1) : add_source(o, NULL, arg);
}

/* -F FILE is --from 'file:FILE?follow'. */
static int take_follow(struct options *o, const char *arg, struct err *e)
{
	struct buf b = { 0 };
	const char *spec;

	(void)e;

	buf_str(&b, "file:");
	for (const char *p = arg; *p; p++) {
		if (*p == '%' || *p == '?')
			buf_printf(&b, "%%%02X", (unsigned char)*p);
		else
			buf_char(&b, *p);
	}
	buf_str(&b, "?follow");
	spec = arena_str(&o->arena, b.p, b.n);
	buf_release(&b);
	return add_source(o, NULL, spec);
}

static int take_to(struct options *o, const char *arg, struct err *e)
{
	(void)e;
	o->sinks = xgrow(o->sinks, &o->sinks_cap, o->n_sinks + 1, sizeof *o->sinks);
	o->sinks[o->n_sinks++] = arg;
	return 0;
}

static int take_program(struct options *o, const char *arg, struct err *e)
{
	if (o->program_file)
		return err_set(e, ERR_USAGE, "given twice: \"%s\" and \"%s\"", o->program_file, arg);
	o->program_file = arg;
	return 0;
}

static int take_var(struct options *o, const char *arg, struct err *e)
{
	const char *eq = strchr(arg, '=');

	if (!eq || eq == arg)
		return err_set(e, ERR_USAGE, "\"%s\" is not name=value", arg);
	if (!name_is_plain(arg, (size_t)(eq - arg))) {
		err_set(e, ERR_USAGE, "\"%.*s\" cannot be the name of a variable", (int)(eq - arg), arg);
		return err_hint(e, "letters, digits and _, and no digit first: $n1");
	}
	o->vars = xgrow(o->vars, &o->vars_cap, (size_t)o->n_vars + 1, sizeof *o->vars);
	o->vars[o->n_vars++] = (struct program_var){ arena_str(&o->arena, arg, (size_t)(eq - arg)), eq + 1 };
	return 0;
}

static int take_header(struct options *o, const char *arg, struct err *e)
{
	size_t cap = 0;
	const char **names = NULL;

	o->n_header = 0;
	for (const char *p = arg;; p++) {
		size_t n = strcspn(p, ",");

		if (!n) {
			free(names);
			return err_set(e, ERR_USAGE, "\"%s\" has an empty name", arg);
		}
		names = xgrow(names, &cap, o->n_header + 1, sizeof *names);
		names[o->n_header++] = arena_str(&o->arena, p, n);
		p += n;
		if (!*p)
			break;
	}
	o->header = arena_array(&o->arena, const char *, o->n_header);
	memcpy(o->header, names, o->n_header * sizeof *names);
	free(names);
	return 0;
}

static int one_byte(const char *arg, char *out, struct err *e)
{
	char c = !strcmp(arg, "tab") || !strcmp(arg, "\\t") ? '\t' : arg[0];

	if ((arg[0] && arg[1] && c != '\t') || !c || c == '"' || c == '\n' || c == '\r')
		return err_set(e, ERR_USAGE, "\"%s\" is not one byte that can separate fields", arg);
	*out = c;
	return 0;
}

static int take_delimiter(struct options *o, const char *arg, struct err *e)
{
	if (one_byte(arg, &o->delimiter, e))
		return -1;
	o->out_delimiter = o->delimiter;
	return 0;
}

static int take_no_header(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->no_header = true;
	return 0;
}

static int take_size(const char *arg, uint64_t min, uint64_t *out, struct err *e)
{
	struct num n;
	size_t len = strlen(arg);
	int shift = 0;

	if (len && strchr("KMGT", arg[len - 1]))
		shift = arg[len - 1] == 'K' ? 10 : arg[len - 1] == 'M' ? 20 : arg[len - 1] == 'G' ? 30 : 40;
	if (num_parse(arg, len - (shift != 0), &n) != NUM_INT || n.i < 0 || (uint64_t)n.i > UINT64_MAX >> shift || (uint64_t)n.i << shift < min)
		return err_set(e, ERR_USAGE, "\"%s\" is not a size of at least %llu bytes, as 64M", arg, (unsigned long long)min);
	*out = (uint64_t)n.i << shift;
	return 0;
}

static int take_max_record(struct options *o, const char *arg, struct err *e)
{
	uint64_t n;

	if (take_size(arg, 1, &n, e))
		return -1;
	o->max_record = n;
	return 0;
}

static int take_mem(struct options *o, const char *arg, struct err *e) { return take_size(arg, 1 << 20, &o->mem_max, e); }

static int take_jobs(struct options *o, const char *arg, struct err *e)
{
	(void)o;
	if (!strcmp(arg, "1"))
		return 0;
	err_set(e, ERR_USAGE, "\"%s\": more than one thread is not in this build", arg);
	return err_hint(e, "--jobs 1 is what it does");
}

static int take_bad(struct options *o, const char *arg, struct err *e)
{
	(void)e;
	o->bad_file = arg;
	return 0;
}

static int take_late(struct options *o, const char *arg, struct err *e)
{
	(void)e;
	o->late_file = arg;
	return 0;
}

static int take_strict(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->strict = true;
	return 0;
}

static int take_schema(struct options *o, const char *arg, struct err *e)
{
	(void)e;
	o->schema = arg;
	return 0;
}

/* 1s, 1000r, mark, eof */
static int take_every(struct options *o, const char *arg, struct err *e)
{
	size_t n = strlen(arg);
	struct num k;

	o->cut_given = true;
	if (!strcmp(arg, "mark") || !strcmp(arg, "eof")) {
		o->cut.kind = arg[0] == 'm' ? CUT_MARK : CUT_EOF;
		return 0;
	}
	o->cut.kind = CUT_TIME;
	if (dur_parse(arg, n, &o->cut.every_ns, NULL) && o->cut.every_ns > 0)
		return 0;
	if (n && arg[n - 1] == 'r' && num_parse(arg, n - 1, &k) == NUM_INT && k.i > 0) {
		o->cut = (struct cut){ .kind = CUT_RECORDS, .records = (uint64_t)k.i };
		return 0;
	}
	err_set(e, ERR_USAGE, "\"%s\" is not a cut", arg);
	return err_hint(e, "a duration (1s), a number of records (1000r), mark or eof");
}

static int take_marks(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->marks = true;
	return 0;
}

static int take_replay(struct options *o, const char *arg, struct err *e)
{
	(void)e;
	o->replay = arg;
	return 0;
}

static int take_tz(struct options *o, const char *arg, struct err *e)
{
	struct err own = { 0 };

	o->zone = zone_get(arg, strlen(arg), &own);
	if (o->zone || !own.kind)
		return 0;
	err_set(e, ERR_USAGE, "%s", own.msg);
	return err_hint(e, "%s", own.hint);
}

/* Behind at most three digits: a width or precision beyond that is a slip, and would cost its bytes for every number. */
static const char *few_digits(const char *p)
{
	for (int i = 0; i < 3 && *p >= '0' && *p <= '9'; i++)
		p++;
	return p;
}

/* One conversion of a float, so that printf gets what it expects: %[flags][width][.precision](e|f|g|E|F|G|a), text around it. */
static int take_ofmt(struct options *o, const char *arg, struct err *e)
{
	const char *p = strchr(arg, '%');

	if (p) {
		p = few_digits(p + 1 + strspn(p + 1, "-+ #0"));
		if (*p == '.')
			p = few_digits(p + 1);
	}
	if (!p || !*p || !strchr("efgEFGa", *p) || strchr(p + 1, '%') || strlen(arg) > 32)
		return err_set(e, ERR_USAGE, "\"%s\" is not one conversion of a number, as %%.2f", arg);
	o->ofmt = arg;
	return 0;
}

static int take_times(struct options *o, const char *arg, struct err *e)
{
	char bad;

	if (strcmp(arg, "epoch") && strcmp(arg, "epoch_ms") && (bad = time_fmt_bad(arg, strlen(arg), false)))
		return err_set(e, ERR_USAGE, "\"%s\": unknown conversion %%%c", arg, bad);
	o->times = arg;
	return 0;
}

static int take_mode(struct options *o, const char *arg, struct err *e)
{
	static const char *const names[] = { [MODE_APPEND] = "append", [MODE_UPDATE] = "update", [MODE_COMPLETE] = "complete" };

	for (int m = MODE_APPEND; m <= MODE_COMPLETE; m++)
		if (!strcmp(arg, names[m])) {
			o->mode = (enum output_mode)m;
			return 0;
		}
	err_set(e, ERR_USAGE, "unknown mode \"%s\"", arg);
	return err_hint(e, "append, update or complete");
}

static int take_color(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->color = WHEN_ALWAYS;
	return 0;
}

static int take_mono(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->color = WHEN_NEVER;
	return 0;
}

static int take_quiet(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->quiet = true;
	return 0;
}

static int take_no_input(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->no_input = true;
	return 0;
}

static int take_progress(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->progress = true;
	return 0;
}

static int take_stats(struct options *o, const char *arg, struct err *e)
{
	(void)e;
	o->stats = arg;
	return 0;
}

static int take_explain(struct options *o, const char *arg, struct err *e)
{
	if (arg && strcmp(arg, "dot") != 0 && strcmp(arg, "text") != 0)
		return err_set(e, ERR_USAGE, "\"%s\" is neither text nor dot", arg);
	o->explain = true;
	o->explain_dot = arg && !strcmp(arg, "dot");
	return 0;
}

static int take_checkpoint(struct options *o, const char *arg, struct err *e)
{
	if (!*arg)
		return err_set(e, ERR_USAGE, "needs DIR");
	o->checkpoint = arg;
	return 0;
}

static int take_once(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->once = true;
	return 0;
}

static int take_drain(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->drain = true;
	return 0;
}

static int take_accept_loss(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->accept_loss = true;
	return 0;
}

static int take_help(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->help = true;
	return 0;
}

static int take_version(struct options *o, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	o->version = true;
	return 0;
}

/* ---- parsing ---- */

static const struct option_def *by_name(const char *name, size_t n)
{
	for (unsigned i = 0; options[i].doc.name; i++)
		if (strlen(options[i].doc.name) == n && !memcmp(options[i].doc.name, name, n))
			return &options[i];
	return NULL;
}

static int take(struct options *o, const struct option_def *d, const char *arg, struct err *e)
{
	struct err own = { 0 };

	if (d->later) {
		err_set(e, ERR_USAGE, "--%s: not in this build", d->doc.name);
		return -1;
	}
	if (!d->take(o, arg, &own))
		return 0;
	err_set(e, own.kind, "--%s: %s", d->doc.name, own.msg);
	if (own.hint[0])
		err_hint(e, "%s", own.hint);
	return -1;
}

static int unknown_option(const char *arg, struct err *e)
{
	size_t n = strcspn(arg + 2, "= \t");
	struct nearest s;

	err_set(e, ERR_USAGE, "unknown option %.*s", (int)(n + 2), arg);
	nearest_init(&s, arg + 2, n);
	for (unsigned i = 0; options[i].doc.name; i++)
		nearest_offer(&s, options[i].doc.name);
	if (s.best)
		return err_hint(e, "did you mean --%s?", s.best);
	return err_hint(e, "`strm --help` lists them");
}

static void add_unit(struct options *o, const char *text, size_t n, const char *file, int arg)
{
	o->units = xgrow(o->units, &o->units_cap, (size_t)o->n_units + 1, sizeof *o->units);
	o->units[o->n_units++] = (struct source_unit){ .text = text, .n = n, .file = file, .arg = arg };
}

static int read_program(const char *path, struct buf *b, struct err *e)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : 0;
	ssize_t r;

	if (fd < 0)
		return err_set(e, ERR_USAGE, "-f: %s: %s", path, strerror(errno));
	while ((r = read(fd, buf_room(b, 65536), 65536)) > 0 && b->n < PROGRAM_MAX)
		buf_took(b, (size_t)r);
	if (fd)
		close(fd);
	if (r < 0)
		return err_set(e, ERR_USAGE, "-f: %s: %s", path, strerror(errno));
	return b->n < PROGRAM_MAX ? 0 : err_set(e, ERR_USAGE, "-f: %s: longer than 1M", path);
}

/* `--name rest of the line` of a program file. */
static int program_option(struct options *o, const char *line, size_t n, struct err *e)
{
	size_t name_n = strcspn(line + 2, " \t=\r\n");
	const struct option_def *d = by_name(line + 2, name_n);
	const char *rest = line + 2 + name_n, *end = line + n, *param = d ? d->doc.params[0].name : NULL;

	if (!d)
		return unknown_option(arena_str(&o->arena, line, n), e);
	while (rest < end && (*rest == ' ' || *rest == '\t' || *rest == '='))
		rest++;
	if (param && rest == end && d->doc.params[0].dflt)
		param = NULL;
	else if (param && rest == end)
		return err_set(e, ERR_USAGE, "--%s: needs %s", d->doc.name, param);
	if (!param && rest < end)
		return err_set(e, ERR_USAGE, "--%s: takes no value", d->doc.name);
	return take(o, d, param ? arena_str(&o->arena, rest, (size_t)(end - rest)) : NULL, e);
}

/* The option at `at` bytes of a program file; its line is blanked, so that the positions of what follows stay. */
static int option_line(struct options *o, char *text, size_t at, size_t n, struct err *e)
{
	struct err own = { 0 };
	int line = 1;

	if (!program_option(o, text + at, n - (n && text[at + n - 1] == '\r'), &own)) {
		memset(text + at, ' ', n);
		return 0;
	}
	for (size_t i = 0; i < at; i++)
		line += text[i] == '\n';
	err_set(e, own.kind, "%s:%d: %s", o->program_file, line, own.msg);
	return own.hint[0] ? err_hint(e, "%s", own.hint) : -1;
}

static int load_program(struct options *o, struct err *e)
{
	struct buf b = { 0 };
	char *text;
	size_t n;

	if (read_program(o->program_file, &b, e)) {
		buf_release(&b);
		return -1;
	}
	n = b.n;
	text = arena_str(&o->arena, b.p ? b.p : "", n);
	buf_release(&b);
	for (size_t at = 0; at < n;) {
		size_t len = strcspn(text + at, "\n");

		if (!strncmp(text + at, "--", 2) && option_line(o, text, at, len, e))
			return -1;
		at += len + 1;
	}
	add_unit(o, text, n, o->program_file, 0);
	return 0;
}

#define OPTION_BASE 256 /* getopt's value of the first long option */

static void getopt_tables(struct option *longs, char *shorts)
{
	unsigned i;

	*shorts++ = '-'; /* operands in order */
	*shorts++ = ':';
	for (i = 0; options[i].doc.name; i++) {
		const struct doc_param *arg = &options[i].doc.params[0];

		longs[i] = (struct option){ options[i].doc.name, !arg->name ? no_argument : arg->dflt ? optional_argument : required_argument, NULL,
					    OPTION_BASE + (int)i };
		if (!options[i].letter)
			continue;
		*shorts++ = options[i].letter;
		if (options[i].doc.params[0].name)
			*shorts++ = ':';
	}
	longs[i] = (struct option){ 0 };
	*shorts = 0;
}

static const struct option_def *by_getopt(int c)
{
	if (c >= OPTION_BASE)
		return &options[c - OPTION_BASE];
	for (unsigned i = 0; options[i].doc.name; i++)
		if (options[i].letter == c)
			return &options[i];
	return NULL;
}

#define OPTIONS_MAX 64

static int bad_option(int c, char **argv, struct err *e)
{
	const char *arg = argv[optind - 1];
	const struct option_def *d = optopt ? by_getopt(optopt) : NULL;

	if (c == ':' && d)
		return err_set(e, ERR_USAGE, "--%s: needs %s", d->doc.name, d->doc.params[0].name);
	if (optopt && d)
		return err_set(e, ERR_USAGE, "--%s: takes no value", d->doc.name);
	if (!strncmp(arg, "--", 2))
		return unknown_option(arg, e);
	err_set(e, ERR_USAGE, "unknown option -%c", optopt);
	if (optopt >= '0' && optopt <= '9')
		return err_hint(e, "what is no option and begins with - stands behind `--`");
	return err_hint(e, "`strm --help` lists them");
}

int options_parse(struct options *o, int argc, char **argv, struct err *e)
{
	struct option longs[OPTIONS_MAX + 1];
	char shorts[2 * OPTIONS_MAX + 3];
	const char **operands = xcalloc((size_t)argc + 1, sizeof *operands);
	int n_operands = 0, c, failed = 0;

	o->max_record = MAX_RECORD_DEFAULT;
	getopt_tables(longs, shorts);
	opterr = 0;
	while (!failed && (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == 1)
			operands[n_operands++] = optarg;
		else if (c == '?' || c == ':')
			failed = bad_option(c, argv, e);
		else
			failed = take(o, by_getopt(c), optarg, e);
	}
	if (!failed && o->program_file)
		failed = load_program(o, e);
	for (int i = 0; i < n_operands && !failed; i++) {
		if (o->program_file)
			add_source(o, NULL, operands[i]);
		else
			add_unit(o, operands[i], strlen(operands[i]), NULL, i + 1);
	}
	for (int i = optind; i < argc && !failed; i++)
		add_source(o, NULL, argv[i]);
	free(operands);
	if (failed || !o->no_input || !o->n_sources)
		return failed ? -1 : 0;
	err_set(e, ERR_USAGE, "-n reads nothing, and \"%s\" is to be read", o->sources[0]);
	return err_hint(e, "leave one of them out");
}

void options_release(struct options *o)
{
	free(o->units);
	free(o->vars);
	free(o->sources);
	free(o->names);
	free(o->sinks);
	arena_release(&o->arena);
}

/* ---- the table ---- */

#define ARG(n, t, h) .params = { { n, t, NULL, NULL, h } }

static const struct option_def options[] = {
	{ { .name = "input", .synopsis = "-i, --input FMT", .summary = "input format: lines csv tsv json logfmt columns", .group = "Input and output",
	    .text = "Without it the name of the first file decides (a.csv, a.json, a.log.gz ...), else lines.", ARG("FMT", "format", "`strm help formats`") },
	  .letter = 'i', .take = take_input },
	{ { .name = "output", .synopsis = "-o, --output FMT", .summary = "output format; also table", .group = "Input and output",
	    .text = "Without it lines stay lines while only the field line is left, and csv, tsv, json and logfmt stay what they are; all else is a table on a "
		    "terminal and TSV without a header on a pipe, with backslashes as they are (-o tsv doubles them, so that it can be read back).",
	    ARG("FMT", "format", "`strm help formats`") },
	  .letter = 'o', .take = take_output },
	{ { .name = "from", .synopsis = "--from [NAME=]SRC", .summary = "read from here; repeatable", .group = "Input and output",
	    .text = "The same as a file behind `--`. Without any, standard input. An input with a name is read by the chains that begin with "
		    "`from NAME`; those without feed chains that do not begin with `from`.", ARG("SRC", "source", "`strm help sources`") },
	  .take = take_from },
	{ { .name = "to", .synopsis = "--to SINK", .summary = "write here, not to standard output; repeatable", .group = "Input and output",
	    ARG("SINK", "sink", "`strm help sinks`") },
	  .take = take_to },
	{ { .name = "follow", .synopsis = "-F, --follow FILE", .summary = "read a file that grows", .group = "Input and output", ARG("FILE", "file", "a file") },
	  .letter = 'F', .take = take_follow },
	{ { .name = "no-input", .synopsis = "-n, --no-input", .summary = "read nothing: one empty record", .group = "Input and output" },
	  .letter = 'n', .take = take_no_input },
	{ { .name = "header", .synopsis = "--header A,B,C", .summary = "names of the fields of csv, tsv or columns", .group = "Input and output",
	    .text = "With csv and tsv it takes the place of the file's own header; say --no-header too when the file has none.",
	    ARG("NAMES", "names", "separated by commas") },
	  .take = take_header },
	{ { .name = "no-header", .synopsis = "--no-header", .summary = "csv and tsv have no header line, in or out", .group = "Input and output" },
	  .take = take_no_header },
	{ { .name = "delimiter", .synopsis = "--delimiter C", .summary = "the byte between fields of csv, in and out", .group = "Input and output",
	    ARG("BYTE", "byte", "one byte, or tab") },
	  .detail = true, .take = take_delimiter },
	{ { .name = "schema", .synopsis = "--schema 'a:int, b:time'", .summary = "types of fields; what does not convert is bad",
	    .group = "Input and output", ARG("TYPES", "schema", "name:type, with int float bool string time duration") },
	  .take = take_schema },
	{ { .name = "max-record", .synopsis = "--max-record SIZE", .summary = "longest record, longer ones are bad (64M)", .group = "Input and output",
	    ARG("SIZE", "size", "bytes, as 64M") },
	  .detail = true, .take = take_max_record },
	{ { .name = "bad", .synopsis = "--bad FILE", .summary = "keep bad records, as TSV: source, line, reason, raw", .group = "Input and output",
	    ARG("FILE", "file", "a file or sink") },
	  .take = take_bad },
	{ { .name = "strict", .synopsis = "--strict", .summary = "end at the first bad record", .group = "Input and output" }, .take = take_strict },
	{ { .name = "late", .synopsis = "--late FILE", .summary = "keep late records, as TSV", .group = "Time",
	    .text = "Its columns are stage, window_end, late_by and record. A record that came too late for all its windows (or, where a stage goes by event time without a window, too late itself: window_end is then its "
		    "own time) is left out, counted, and kept here as JSON, as it reached the stage. Of no use, and refused, in a program without event time.",
	    ARG("FILE", "file", "a file or sink") },
	  .take = take_late },
	{ { .name = "every", .synopsis = "--every 1s|1000r|mark|eof", .summary = "when a micro-batch ends", .group = "Time", .text = "Without it: 1s where any input is live; else eof where an aggregate or an order has no window of event time; else each 8 MiB of input, and on a pipe what has come by a second of silence. `strm help batches` says more.",
	    ARG("CUT", "text", "a duration, a number of records, mark or eof") },
	  .take = take_every },
	{ { .name = "marks", .synopsis = "--marks", .summary = "write a mark behind each micro-batch", .group = "Time" }, .detail = true, .take = take_marks },
	{ { .name = "replay", .synopsis = "--replay FIELD", .summary = "take processing time from the data", .group = "Time", .text = "The clock is the largest time of the field so far; micro-batches are cut by it (--every, 1s without). With --every 1000r or eof it only says what time it is. Several inputs are read one after the other, not merged by their times: a record whose time lies behind the clock goes into the micro-batch at hand. Streams that were recorded side by side are to be merged before, as by `sort -m -k 1,1 a.log b.log | strm --replay ...` where their lines begin with the time.",
	    ARG("FIELD", "field", "a field with times") },
	  .take = take_replay },
	{ { .name = "mode", .synopsis = "--mode MODE", .summary = "append, update or complete: how aggregates print", .group = "Time",
	    .text = "append: each window once, when the watermark has passed it (the default for windows of event time). update: the groups that changed in "
		    "the micro-batch (the default for `window all`). complete: the whole table each time (the default where sort or top follow `window all`); "
		    "nothing is late then, and nothing is forgotten.", ARG("MODE", "text", "append, update or complete") },
	  .take = take_mode },
	{ { .name = "checkpoint", .synopsis = "--checkpoint DIR", .summary = "make the job durable", .group = "State",
	    .text = "What the job knows (state, open windows, where its inputs stand) is kept in DIR, and the next run goes on from there: after an end, a kill or a "
		    "crash, with no record missing or twice in a file, a directory or a standard output that is a file. `strm help checkpoints` says more.",
	    ARG("DIR", "directory", "a directory; made if it is missing") },
	  .take = take_checkpoint },
	{ { .name = "once", .synopsis = "--once", .summary = "take what has come, commit, exit", .group = "State",
	    .text = "For cron: a directory, or a file that is followed, ends when all that is there now has been read; a connection ends when it is closed, and a server that does not answer is an error. What is due by the clock comes out though no record has come: timeouts, silences, windows that ended "
	    "since the last run." }, .take = take_once },
	{ { .name = "drain", .synopsis = "--drain", .summary = "close all windows at the end", .group = "State",
	    .text = "With a checkpoint the end of the input only ends the run, and windows stay open for the next one; with --drain it is the end of time." },
	  .detail = true, .take = take_drain },
	{ { .name = "accept-loss", .synopsis = "--accept-loss", .summary = "go on where input has vanished", .group = "State",
	    .text = "A file that was read in part and is neither there nor beside it under another name ends the run; with this, the file that is there now is read." },
	  .detail = true, .take = take_accept_loss },
	{ { .name = "file", .synopsis = "-f, --file FILE", .summary = "the program is in a file; operands are input", .group = "Program",
	    .text = "Lines that begin with -- are options, # begins a comment; as #!/usr/bin/env -S strm -f the file is a command.",
	    ARG("FILE", "file", "a program") },
	  .letter = 'f', .take = take_program },
	{ { .name = "var", .synopsis = "-v, --var NAME=VALUE", .summary = "$NAME in expressions", .group = "Program", ARG("NAME=VALUE", "text", "a name and its value") },
	  .letter = 'v', .take = take_var },
	{ { .name = "explain", .synopsis = "--explain[=dot]", .summary = "show the program and the plan; run nothing", .group = "Program",
	    .text = "With =dot the graph of chains alone, for dot(1) of Graphviz.",
	    .params = { { "FORM", "text", "text", "text, dot", "how" } } },
	  .take = take_explain },
	{ { .name = "tz", .synopsis = "--tz ZONE", .summary = "zone of times without one, and of --times (UTC)", .group = "Values",
	    ARG("ZONE", "zone", "as Europe/Oslo or +02:00") },
	  .take = take_tz },
	{ { .name = "ofmt", .synopsis = "--ofmt FMT", .summary = "how floats print, as %.2f (shortest)", .group = "Values", ARG("FMT", "text", "a printf conversion") },
	  .detail = true, .take = take_ofmt },
	{ { .name = "times", .synopsis = "--times FMT", .summary = "how times print, as %H:%M or epoch (RFC 3339)", .group = "Values",
	    ARG("FMT", "text", "epoch, epoch_ms or a strftime format") },
	  .take = take_times },
	{ { .name = "jobs", .synopsis = "--jobs N", .summary = "threads; this build has 1", .group = "Running", ARG("N", "int", "1") }, .detail = true, .take = take_jobs },
	{ { .name = "mem", .synopsis = "--mem SIZE", .summary = "most memory of a stage's state (no limit)", .group = "Running",
	    .text = "A stage that would keep more ends the run. With --checkpoint, keys that rest and records that wait leave memory for the checkpoint instead, "
		    "and come back when a record has them or when a time has come that they wait for (a timeout, a ttl, the end of a window, a trigger, "
		    "`within`): those of state, dedup, absent, fill, `group N rows`, joins, cogroup, and all windows. Where everything is wanted at once they come "
		    "some at a time: at the end of windows without lateness, for `all` and `on close` of a state, for --mode complete over `window all`. What stays: "
		    "what a micro-batch touches, changes, or brings out otherwise, keys that are lists or objects, keys of over 400 bytes of joins and of windows "
		    "that slide, records of sessions without a key, --mode complete over other windows, at the end outer joins over `window all`.",
	    ARG("SIZE", "size", "bytes, as 2G") },
	  .take = take_mem },
	{ { .name = "progress", .synopsis = "--progress", .summary = "show progress; say at the end where records went", .group = "Running",
	    .text = "On a terminal one line on standard error shows records, their rate, bytes, and percent and time left where the size of the input is "
		    "known. The closing line is printed in any case." },
	  .take = take_progress },
	{ { .name = "stats", .synopsis = "--stats FILE", .summary = "a JSON line for each micro-batch", .group = "Running",
	    .text = "`strm help monitoring` explains its members.", ARG("FILE", "file", "a file or sink") },
	  .take = take_stats },
	{ { .name = "color", .synopsis = "-C, --color", .summary = "colour the table, also on a pipe", .group = "Running" }, .letter = 'C', .detail = true, .take = take_color },
	{ { .name = "no-color", .synopsis = "-M, --no-color", .summary = "no colour", .group = "Running" }, .letter = 'M', .detail = true, .take = take_mono },
	{ { .name = "quiet", .synopsis = "-q, --quiet", .summary = "no warnings, no ledger", .group = "Running" }, .letter = 'q', .take = take_quiet },
	{ { .name = "help", .synopsis = "-h, --help", .summary = "this; strm help NAME for a stage, function ...", .group = "Running" }, .letter = 'h', .take = take_help },
	{ { .name = "version", .synopsis = "-V, --version", .summary = "the version", .group = "Running" }, .letter = 'V', .take = take_version },
	{ .doc = { .name = NULL } },
};
