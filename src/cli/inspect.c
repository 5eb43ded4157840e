#include "cli/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/nearest.h"
#include "cli/catalog.h"
#include "cli/entry.h"
#include "cli/page.h"
#include "cli/report.h"

struct subcommand {
	struct doc doc;     /* its name follows PREFIX */
	const char *wants;  /* what comes before DIR, for messages; NULL: nothing */
	unsigned min, max;  /* how many arguments that is */
	bool program;       /* it is a program, so all options of a job go with it */
	int (*fn)(struct inspect_run *r, struct err *e);
};

#define PREFIX "checkpoint "
#define ANY_NUMBER UINT32_MAX

static const struct subcommand subcommands[] = {
	{ { .name = PREFIX "ls", .synopsis = "strm checkpoint ls DIR", .summary = "what a checkpoint holds", .group = "checkpoints",
	    .text = "The last commit with the number and time of its micro-batch (and a cut that has none yet: the next run does that micro-batch again), the "
		    "inputs with the byte and line where reading goes on (`taken`: that many records behind it are done already; of a directory how many files were read), the stages with the number of their entries and the bytes of those, and the files.",
	    .examples = { { "--checkpoint lines 'state n = n + 1 from n = 0 by line' >/dev/null; strm checkpoint ls -o json lines | strm -i json -o csv 'filter kind == \"stage\" and "
			    "keys > 0' 'select id, name, keys'",
			    "a\nb\na\n", "id,name,keys\n1,state n = n + 1 from n = 0 by line,2\n", "stages with state, for another program" } } },
	  NULL, 0, 0, false, inspect_ls },
	{ { .name = PREFIX "get", .synopsis = "strm checkpoint get [KEY]... [--stage STAGE] DIR", .summary = "what is known of a key", .group = "checkpoints",
	    .text = "KEY as strm prints it; of several fields each is an argument, in the order of `by`, and an empty one is null or the empty text, `null` null or that text; none for state "
		    "that has no `by`. Behind a window all windows of the key are shown. Nothing found is exit status 1.",
	    .examples = { { "--checkpoint seen 'state n = n + 1 from n = 0 by line' >/dev/null; strm checkpoint get -o json a seen | strm -i json -o json 'select key, state'", "a\nb\na\n",
			    "{\"key\":{\"line\":\"a\"},\"state\":{\"n\":2}}\n", NULL } } },
	  NULL, 0, ANY_NUMBER, false, inspect_get },
	{ { .name = PREFIX "top", .synopsis = "strm checkpoint top [N] [--stage STAGE] DIR", .summary = "the keys with the most bytes", .group = "checkpoints",
	    .text = "The N entries (10 without) whose keys and state take the most bytes, largest first.",
	    .examples = { { "--checkpoint long 'state n = n + 1 from n = 0 by line' >/dev/null; strm checkpoint top 1 --stage state -o csv long | strm -i csv -o csv 'select key'", "a\nlonger\n",
			    "key\n\"{\"\"line\"\":\"\"longer\"\"}\"\n", NULL } } },
	  "N", 0, 1, false, inspect_fattest },
	{ { .name = PREFIX "diff", .synopsis = "strm checkpoint diff STAGE... DIR", .summary = "what another program would keep", .group = "checkpoints",
	    .text = "Compares the program (arguments, or `-f FILE`) with the one that the checkpoint remembers: which stages go on with their state, which start anew, what is "
		    "dropped, and why. Give the options of the job too (-v, --tz, --schema, -i and so on): they are part of what a stage means. Nothing is changed. Exit "
		    "status 1 when state would be lost.",
	    .examples = { { "--checkpoint old 'state n = n + 1 from n = 0 by line' >/dev/null; strm checkpoint diff -o csv 'filter line != \"\"' 'state n = n + 1 from n = 0 by line' "
			    "old | strm -i csv -o csv 'select change, stage, keys'",
			    "a\nb\n", "change,stage,keys\nkept,state n = n + 1 from n = 0 by line,2\nkept,(inputs),1\nnew,\"filter line != \"\"\"\"\",0\n",
			    "a filter chooses records; it does not change what the state means" } } },
	  "a program", 0, ANY_NUMBER, true, inspect_diff_with },
	{ { .name = PREFIX "verify", .synopsis = "strm checkpoint verify DIR", .summary = "is it whole?", .group = "checkpoints",
	    .text = "Reads all of it: every frame of the logs, every page and value of data.mdb, and holds the number and the sum of each stage's entries against the last "
		    "commit. Damage is said with file and offset, exit status 1.",
	    .examples = { { "--checkpoint whole 'count by line' >/dev/null; strm checkpoint verify -o json whole | strm -i json -o json 'filter kind == \"log\"' 'select frames'", "a\n",
			    "{\"frames\":3}\n", NULL } } },
	  NULL, 0, 0, false, inspect_verify },
	{ { .name = PREFIX "export", .synopsis = "strm checkpoint export [--stage STAGE] DIR", .summary = "keys and state as JSON lines", .group = "checkpoints",
	    .text = "A record for each key of the stages `state`: its key fields and its variables, as `state ... from \"FILE\"` takes them for a first state. With several such "
		    "stages say which. What other stages keep is theirs alone (`get` and `top` show it).",
	    .examples = { { "--checkpoint counts 'state n = n + 1 from n = 0 by line' >/dev/null; strm checkpoint export counts > n.json; echo a | strm 'state n = n + 1 from \"n.json\" by line'",
			    "a\nb\na\n", "a\t3\n", "another job goes on with the counts" } } },
	  NULL, 0, 0, false, inspect_to_lines },
	{ .doc = { .name = NULL } },
};

const struct doc *inspect_doc(unsigned i) { return subcommands[i].doc.name ? &subcommands[i].doc : NULL; }

static const char *short_name(const struct subcommand *s) { return s->doc.name + strlen(PREFIX); }

/* ---- arguments ---- */

static int synopsis_hint(const struct subcommand *s, struct err *e) { return err_hint(e, "%s", s->doc.synopsis); }

static const struct option_def *find_option(const char *arg, bool *alone)
{
	const struct option_def *d;
	size_t n = strcspn(arg + 2, "=");

	*alone = arg[1] == '-' ? !arg[2 + n] : !arg[2];
	for (unsigned i = 0; (d = option_at(i)); i++)
		if (arg[1] == '-' ? !strncmp(d->doc.name, arg + 2, n) : d->letter == arg[1])
			return d;
	return NULL;
}

/* Options that have a meaning without a job. */
static bool goes_with(const struct option_def *d)
{
	static const char *const names[] = { "output", "no-header", "delimiter", "color", "no-color", "times", "tz", "ofmt", "var", "quiet", "help" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(d->doc.name, names[i]))
			return true;
	return false;
}

/* --stage STAGE or --stage=STAGE at argv[i]: how many words it takes, 0: it is another one, -1 and err. */
static int take_stage(struct inspect_run *r, const struct subcommand *s, char **argv, int left, struct err *e)
{
	size_t n = strlen("--stage");

	if (strncmp(argv[0], "--stage", n) || (argv[0][n] && argv[0][n] != '='))
		return 0;
	if (!strstr(s->doc.synopsis, "--stage")) {
		err_set(e, ERR_USAGE, "%s: --stage does not go with it", s->doc.name);
		return synopsis_hint(s, e);
	}
	r->stage = argv[0][n] ? argv[0] + n + 1 : left > 1 ? argv[1] : NULL;
	if (!r->stage || !*r->stage)
		return err_set(e, ERR_USAGE, "%s: --stage needs a stage", s->doc.name);
	return argv[0][n] ? 1 : 2;
}

static int check_option(const struct subcommand *s, const struct option_def *d, struct err *e)
{
	if (!d || s->program || goes_with(d))
		return 0;
	err_set(e, ERR_USAGE, "%s: --%s does not go with it", s->doc.name, d->doc.name);
	return synopsis_hint(s, e);
}

/* The words that options_parse() is to see: all but --stage. How many, or -1. */
static int filter_args(struct inspect_run *r, const struct subcommand *s, int argc, char **argv, char **out, struct err *e)
{
	int n = 0, k;

	for (int i = 0; i < argc; i += k) {
		const struct option_def *d;
		bool alone = false;

		if (!strcmp(argv[i], "--")) {
			for (; i < argc; i++)
				out[n++] = argv[i];
			break;
		}
		k = take_stage(r, s, argv + i, argc - i, e);
		if (k < 0)
			return -1;
		if (k)
			continue;
		d = argv[i][0] == '-' && argv[i][1] ? find_option(argv[i], &alone) : NULL;
		if (check_option(s, d, e))
			return -1;
		k = d && alone && d->doc.params[0].name && !d->doc.params[0].dflt && i + 1 < argc ? 2 : 1;
		for (int j = 0; j < k; j++)
			out[n++] = argv[i + j];
	}
	return n;
}

static bool has_files(int n, char **args)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(args[i], "--"))
			return i + 1 < n;
	return false;
}

/* The operands: DIR is the last one, whatever is a program goes on as one. */
static int find_operands(struct inspect_run *r, const struct subcommand *s, bool files, struct err *e)
{
	struct options *o = r->opts;
	bool behind = o->program_file || files;
	const char **args = arena_array(&o->arena, const char *, (size_t)o->n_units + o->n_sources + 1);
	unsigned n = 0;

	for (int i = 0; i < o->n_units && !o->program_file; i++)
		args[n++] = o->units[i].text;
	for (unsigned i = 0; i < o->n_sources && (behind || !s->program); i++)
		args[n++] = o->sources[i];
	r->n_args = n ? n - 1 : 0;
	r->args = args;
	r->dir = n ? args[n - 1] : NULL;
	if (s->program && r->dir) {
		o->n_sources -= behind;
		o->n_units -= !behind;
	}
	if (!r->dir || r->n_args < s->min || (s->program && !o->n_units)) {
		err_set(e, ERR_USAGE, "%s: needs %s%sDIR", s->doc.name, s->min || s->program ? s->wants : "", s->min || s->program ? " and " : "");
		return synopsis_hint(s, e);
	}
	if (r->n_args <= s->max)
		return 0;
	err_set(e, ERR_USAGE, "%s: too many arguments: \"%s\"", s->doc.name, r->args[s->max]);
	return synopsis_hint(s, e);
}

static int parse(struct inspect_run *r, const struct subcommand *s, int argc, char **argv, struct err *e)
{
	char **words = xcalloc((size_t)argc + 2, sizeof *words);
	int n, status = -1;

	words[0] = argv[-1];
	n = filter_args(r, s, argc, argv, words + 1, e);
	if (n >= 0 && !options_parse(r->opts, n + 1, words, e))
		status = r->opts->help ? 0 : find_operands(r, s, has_files(n, words + 1), e);
	free(words);
	return status;
}

/* ---- the store ---- */

static bool is_checkpoint(const char *dir)
{
	struct buf b = { 0 };
	struct stat st;
	bool is;

	buf_printf(&b, "%s/format", dir);
	is = !stat(buf_cstr(&b), &st);
	buf_release(&b);
	return is;
}

static int open_store(struct inspect_run *r, struct err *e)
{
	struct store_opts so = { .read_only = true };

	r->store = store_open(r->dir, &so, e);
	if (r->store)
		return 0;
	for (unsigned i = 0; i < r->n_args && !e->hint[0] && !is_checkpoint(r->dir); i++)
		if (is_checkpoint(r->args[i]))
			err_hint(e, "the directory comes last; %s is a checkpoint", r->args[i]);
	return -1;
}

static void offer_stages(const struct inspect_run *r, struct err *e)
{
	struct nearest near;
	const char *some = NULL;

	nearest_init(&near, r->stage, strlen(r->stage));
	for (uint32_t i = 0; i < r->layouts.n; i++) {
		nearest_offer(&near, r->layouts.at[i].title);
		if (!some && r->layouts.at[i].stage->keys && !r->layouts.at[i].inputs)
			some = r->layouts.at[i].title;
	}
	if (near.best)
		err_hint(e, "did you mean \"%s\"?", near.best);
	else if (some)
		err_hint(e, "there is \"%s\"; `strm checkpoint ls` lists all, and a number or the first words will do", some);
}

int inspect_stage_wanted(const struct inspect_run *r, uint32_t *id, struct err *e)
{
	const struct inspect_layout *found = NULL;
	size_t n = r->stage ? strlen(r->stage) : 0;

	*id = 0;
	for (uint32_t i = 0; r->stage && i < r->layouts.n; i++) {
		const struct inspect_layout *l = &r->layouts.at[i];
		char number[16];

		snprintf(number, sizeof number, "%u", l->stage->id);
		if (!strcmp(number, r->stage) || !strcmp(l->title, r->stage)) {
			*id = l->stage->id;
			return 0;
		}
		if (strncmp(l->title, r->stage, n))
			continue;
		if (found)
			return err_set(e, ERR_USAGE, "--stage: \"%s\" may be \"%s\" or \"%s\"", r->stage, found->title, l->title);
		found = l;
	}
	if (found)
		*id = found->stage->id;
	if (found || !r->stage)
		return 0;
	err_set(e, ERR_USAGE, "--stage: no stage \"%s\" in %s", r->stage, r->dir);
	offer_stages(r, e);
	return -1;
}

/* ---- the command ---- */

static void show_help(const struct subcommand *one)
{
	const struct kind *k = kind_of_list("commands");
	const struct doc *d;
	struct page p;

	page_init(&p, stdout);
	for (unsigned i = 0; (d = inspect_doc(i)); i++)
		if (!one || d == &one->doc)
			entry_show(&p, k, d, NULL);
	page_put(&p, stdout);
	page_release(&p);
}

static int unknown(const char *name, struct err *e)
{
	struct nearest near;

	if (!name) {
		err_set(e, ERR_USAGE, "checkpoint: needs ls, get, top, diff, verify or export");
		return err_hint(e, "strm checkpoint ls DIR");
	}
	err_set(e, ERR_USAGE, "checkpoint: there is no \"%s\"", name);
	if (is_checkpoint(name))
		return err_hint(e, "strm checkpoint ls %s", name);
	nearest_init(&near, name, strlen(name));
	for (const struct subcommand *s = subcommands; s->doc.name; s++)
		nearest_offer(&near, short_name(s));
	return near.best ? err_hint(e, "did you mean %s?", near.best) : err_hint(e, "ls, get, top, diff, verify and export are there");
}

static int run(struct inspect_run *r, const struct subcommand *s, struct err *e)
{
	int status = open_store(r, e);

	if (!status) {
		layouts_open(&r->layouts, r->store, r->opts);
		status = s->fn(r, e);
		layouts_close(&r->layouts);
	}
	store_close(r->store);
	return status;
}

int inspect_command(int argc, char **argv)
{
	const char *name = argc ? argv[0] : NULL;
	struct options o = { 0 };
	struct inspect_run r = { .opts = &o };
	struct err e = { 0 };
	const struct subcommand *s = subcommands;
	int status = -1;

	while (s->doc.name && (!name || strcmp(short_name(s), name)))
		s++;
	if (name && (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))) {
		show_help(NULL);
		return 0;
	}
	if (!s->doc.name)
		unknown(name, &e);
	else if (!parse(&r, s, argc - 1, argv + 1, &e))
		status = o.help ? 0 : run(&r, s, &e);
	if (status < 0)
		report_error(&o, &e);
	else if (o.help)
		show_help(s);
	options_release(&o);
	return status < 0 ? exit_status(e.kind) : status;
}
