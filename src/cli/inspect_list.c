/* strm checkpoint ls, verify and diff. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/durable.h"
#include "cli/inspect.h"
#include "cli/run.h"
#include "plan/meaning.h"
#include "runtime/checkpoint.h"

/* A row on its way out: only what it has. */
struct row {
	struct field at[12];
	size_t n;
};

static void add(struct row *r, const char *name, struct value v)
{
	if (v.type != T_NULL)
		r->at[r->n++] = (struct field){ .name = name, .name_n = (uint32_t)strlen(name), .v = v };
}

static struct value text(const char *s) { return s ? v_str(s, strlen(s)) : v_null(); }
static struct value number(uint64_t n) { return v_int((int64_t)n); }
static struct value bytes(struct store_bytes s) { return v_str(s.p, s.n); }

static int put(struct shown *out, struct row *r, struct err *e)
{
	int status = shown_put(out, r->at, r->n, e);

	r->n = 0;
	return status;
}

/* ---- ls ---- */

static const char *const ls_columns[] = { "kind", "id", "keys", "bytes", "position", "line", "taken", "batch", "time", "name", "path", "fingerprint" };

static int put_point(struct shown *out, const char *kind, const struct store_point *p, struct err *e)
{
	struct row r = { 0 };

	if (!p)
		return 0;
	add(&r, "kind", text(kind));
	add(&r, "batch", number(p->batch));
	add(&r, "time", v_time(p->time));
	return put(out, &r, e);
}

struct input_rows {
	struct shown *out;
	struct buf done; /* the source whose files that were read are counted, */
	uint64_t n_done; /* and how many */
	struct err *e;
};

static int put_done(struct input_rows *to)
{
	struct row r = { 0 };

	if (!to->n_done)
		return 0;
	add(&r, "kind", text("read"));
	add(&r, "keys", number(to->n_done));
	add(&r, "name", v_str(to->done.p, to->done.n));
	to->n_done = 0;
	return put(to->out, &r, to->e);
}

/* Those of one source are together. */
static int count_done(struct input_rows *to, const struct checkpoint_input *in)
{
	bool same = to->done.n == in->name.n && (!in->name.n || !memcmp(to->done.p, in->name.p, in->name.n));

	if (!same && put_done(to))
		return -1;
	to->done.n = 0;
	buf_add(&to->done, in->name.p, in->name.n);
	to->n_done++;
	return 0;
}

static int put_input(void *ctx, const struct store_entry *entry)
{
	struct input_rows *to = ctx;
	struct checkpoint_input in;
	struct row r = { 0 };

	if (checkpoint_read_input(entry, &in)) {
		err_set(to->e, ERR_IO, "where the input \"%.*s\" stands is said in a way that this strm does not know", (int)entry->key.n, entry->key.p);
		return -1;
	}
	if (in.done)
		return count_done(to, &in);
	add(&r, "kind", text("input"));
	add(&r, "name", in.name.n ? bytes(in.name) : text("(live)"));
	add(&r, "bytes", number(entry->key.n + entry->value.n));
	add(&r, "position", v_int(in.offset));
	add(&r, "line", number(in.line));
	if (in.rows)
		add(&r, "taken", number(in.rows));
	if (in.file)
		add(&r, "path", bytes(in.path));
	return put(to->out, &r, to->e);
}

static int put_inputs(const struct inspect_run *run, struct shown *out, struct err *e)
{
	struct input_rows to = { .out = out, .e = e };
	int status = 0;

	for (uint32_t i = 0; i < run->layouts.n && !status; i++)
		if (run->layouts.at[i].inputs)
			status = store_load(run->store, run->layouts.at[i].stage->id, put_input, &to, e);
	status = status || put_done(&to);
	buf_release(&to.done);
	return status ? -1 : 0;
}

static int put_stages(const struct inspect_run *run, const struct inspect *in, struct shown *out, struct err *e)
{
	for (size_t i = 0; i < in->n_stages; i++) {
		const struct inspect_stage *s = &in->stages[i];
		const struct inspect_layout *l = layout_of(&run->layouts, s->id);
		char fingerprint[17];
		struct row r = { 0 };

		if (l->inputs)
			continue;
		snprintf(fingerprint, sizeof fingerprint, "%016llx", (unsigned long long)s->fingerprint);
		add(&r, "kind", text("stage"));
		add(&r, "id", number(s->id));
		add(&r, "name", text(l->title));
		add(&r, "keys", number(s->keys));
		add(&r, "bytes", number(s->key_bytes + s->value_bytes));
		add(&r, "fingerprint", text(fingerprint));
		if (put(out, &r, e))
			return -1;
	}
	return 0;
}

static int put_file(struct shown *out, const char *name, uint64_t n, struct err *e)
{
	struct row r = { 0 };

	if (!n)
		return 0;
	add(&r, "kind", text("file"));
	add(&r, "name", text(name));
	add(&r, "bytes", number(n));
	return put(out, &r, e);
}

static int put_wals(const struct inspect *in, struct shown *out, struct err *e)
{
	for (size_t i = 0; i < in->n_wals; i++) {
		struct row r = { 0 };

		add(&r, "kind", text("wal"));
		add(&r, "id", number(in->wals[i].input));
		add(&r, "bytes", number(in->wals[i].end - in->wals[i].begin));
		add(&r, "position", number(in->wals[i].begin));
		if (put(out, &r, e))
			return -1;
	}
	return 0;
}

static int put_all(struct inspect_run *run, struct shown *out, struct err *e)
{
	struct inspect in;
	int status;

	if (inspect_open(&in, run->store, e))
		return -1;
	status = put_point(out, "commit", in.commit, e) || put_point(out, "cut", in.cut, e) || put_inputs(run, out, e) ||
		 put_stages(run, &in, out, e) || put_wals(&in, out, e) || put_file(out, "log", in.log_bytes, e) ||
		 put_file(out, "data.mdb", in.data_bytes, e);
	inspect_release(&in);
	return status ? -1 : 0;
}

static int show(struct inspect_run *run, const char *const *columns, uint32_t n, int (*fn)(struct inspect_run *run, struct shown *out, struct err *e),
		struct err *e)
{
	struct shown out = { 0 };
	int status = shown_open(&out, run->opts, "table", columns, n, e);

	if (!status)
		status = fn(run, &out, e);
	if (status >= 0 && shown_end(&out, e))
		status = -1;
	shown_close(&out);
	return status;
}

int inspect_ls(struct inspect_run *run, struct err *e) { return show(run, ls_columns, ARRAY_LEN(ls_columns), put_all, e); }

/* ---- verify ---- */

static const char *const verify_columns[] = { "kind", "id", "state", "frames", "keys", "bytes", "name" };

static int pass(void *ctx, uint64_t at, struct store_bytes piece)
{
	(void)at;
	*(uint64_t *)ctx += piece.n;
	return 0;
}

static int verify_wal(struct inspect_run *run, const struct inspect_wal *w, struct shown *out, struct err *e)
{
	uint64_t n = 0;
	struct store_reader reader = { w->begin, pass, &n };
	struct row r = { 0 };

	if (store_wal_read(run->store, w->input, &reader, e))
		return -1;
	add(&r, "kind", text("wal"));
	add(&r, "id", number(w->input));
	add(&r, "state", text("whole"));
	add(&r, "bytes", number(n));
	return put(out, &r, e);
}

static int verify_file(struct shown *out, const char *kind, uint64_t n, uint64_t frames, struct err *e)
{
	struct row r = { 0 };

	if (!n)
		return 0;
	add(&r, "kind", text(kind));
	add(&r, "state", text("whole"));
	if (frames)
		add(&r, "frames", number(frames));
	add(&r, "bytes", number(n));
	return put(out, &r, e);
}

/* No damage: the run that comes cuts it off. */
static int put_torn(uint64_t n, struct shown *out, struct err *e)
{
	struct row r = { 0 };

	if (!n)
		return 0;
	add(&r, "kind", text("log"));
	add(&r, "state", text("torn at its end"));
	add(&r, "bytes", number(n));
	return put(out, &r, e);
}

/* Every entry is of a form that its reader knows. */
static int check_input(void *ctx, const struct store_entry *entry)
{
	struct checkpoint_input in;

	(void)ctx;
	return checkpoint_read_input(entry, &in) ? 1 : 0;
}

static int verify_stage(struct inspect_run *run, const struct inspect_stage *s, struct shown *out, struct err *e)
{
	const struct inspect_layout *l = layout_of(&run->layouts, s->id);
	struct row r = { 0 };

	if (l->inputs && store_load(run->store, s->id, check_input, NULL, e))
		return e->kind ? -1 : err_set(e, ERR_IO, "%s: says where an input stands in a way that this strm does not know", run->dir);
	add(&r, "kind", text("stage"));
	add(&r, "id", number(s->id));
	add(&r, "name", text(l->title));
	add(&r, "state", text("whole"));
	add(&r, "keys", number(s->keys));
	add(&r, "bytes", number(s->key_bytes + s->value_bytes));
	return put(out, &r, e);
}

/* Opening has checked frames, pages, counts and sums; here they are read again, and what only a reader looks at. */
static int verify_all(struct inspect_run *run, struct shown *out, struct err *e)
{
	struct inspect in;
	int status = -1;

	if (store_verify(run->store, e) || inspect_open(&in, run->store, e))
		return -1;
	if (!verify_file(out, "log", in.log_bytes, in.frames, e) && !verify_file(out, "data.mdb", in.data_bytes, 0, e))
		status = put_torn(in.torn, out, e);
	for (size_t i = 0; i < in.n_wals && !status; i++)
		status = verify_wal(run, &in.wals[i], out, e);
	for (size_t i = 0; i < in.n_stages && !status; i++)
		status = verify_stage(run, &in.stages[i], out, e);
	inspect_release(&in);
	return status;
}

int inspect_verify(struct inspect_run *run, struct err *e) { return show(run, verify_columns, ARRAY_LEN(verify_columns), verify_all, e); }

/* ---- diff ---- */

static const char *const diff_columns[] = { "change", "keys", "stage", "reason" };

struct stages {
	const struct plan *plan;
	const struct plan_meaning *at; /* from 1 to plan->n_stages; [0]: what stands outside */
};

static bool same_stage(const struct store_stage *s, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(s->name, name, n) && (!s->name[n] || !strncmp(s->name + n, "\n#", 2));
}

/* Does the program have the stage: 1, with another meaning -1, 0. */
static int find_stage(const struct stages *p, const struct store_stage *s)
{
	int found = 0;

	for (int i = 1; i <= p->plan->n_stages && found < 1; i++)
		if (same_stage(s, p->at[i].name))
			found = p->at[i].fingerprint == s->fingerprint ? 1 : -1;
	return found;
}

static bool remembered(const struct store_program *old, const char *name)
{
	for (uint32_t i = 0; i < old->n_stages; i++)
		if (same_stage(&old->stages[i], name))
			return true;
	return false;
}

static size_t word_n(const char *name) { return strcspn(name, " \n"); }

static bool same_word(const char *a, const char *b) { return word_n(a) == word_n(b) && !strncmp(a, b, word_n(a)); }

static bool is_there(const struct stages *p, const struct store_stage *s) { return find_stage(p, s) != 0; }

/* The stage of the new program that takes the place of one that is gone: of those with the same word, in order. */
static const char *instead(const struct stages *p, const struct store_program *old, const struct store_stage *gone)
{
	uint32_t before = 0;

	for (const struct store_stage *s = old->stages; s != gone; s++)
		before += same_word(s->name, gone->name) && !is_there(p, s);
	for (int i = 1; i <= p->plan->n_stages; i++)
		if (same_word(p->at[i].name, gone->name) && !remembered(old, p->at[i].name) && !before--)
			return p->at[i].name;
	return NULL;
}

struct comparison {
	struct stages now, then; /* then.plan NULL: what is remembered does not compile with these options */
	bool lost;
};

/* Why a stage that is written as it was means something else. */
static const char *why_anew(const struct comparison *c, const struct store_stage *s)
{
	if (!c->then.plan || find_stage(&c->then, s) == 1)
		return "what it reads is made in another way by the stages in front of it";
	return "an option of the job (-v, --tz, --schema) is another one";
}

static struct value why_dropped(struct inspect_run *run, const struct comparison *c, const struct store_stage *gone)
{
	const char *other = instead(&c->now, store_program(run->store), gone);

	return other ? text(arena_printf(&run->layouts.arena, "it is now \"%s\"", other)) : text("no stage of the program any more");
}

/* What stands outside of the program: outputs and where inputs stand. It goes on, or has nothing to keep. */
static bool outside(const struct inspect_layout *l) { return l->inputs || !strncmp(l->title, "--", 2); }

static int put_old(struct inspect_run *run, struct comparison *c, const struct inspect_layout *l, struct shown *out, struct err *e)
{
	int found = outside(l) ? 1 : find_stage(&c->now, l->stage);
	struct row r = { 0 };

	if (outside(l) && !l->inputs)
		return 0;
	add(&r, "change", text(found > 0 ? "kept" : found ? "anew" : "dropped"));
	add(&r, "stage", text(l->title));
	add(&r, "keys", number(l->stage->keys));
	if (found > 0)
		add(&r, "reason", text(l->inputs ? "inputs go on where they stand" : "the same stage, reading the same"));
	else
		add(&r, "reason", found ? text(why_anew(c, l->stage)) : why_dropped(run, c, l->stage));
	c->lost |= found <= 0 && l->stage->keys;
	return put(out, &r, e);
}

static int put_new(const struct store_program *old, const struct stages *now, int i, struct shown *out, struct err *e)
{
	struct row r = { 0 };

	if (remembered(old, now->at[i].name))
		return 0;
	add(&r, "change", text("new"));
	add(&r, "stage", text(now->at[i].name));
	add(&r, "keys", number(0));
	add(&r, "reason", text("it starts with nothing"));
	return put(out, &r, e);
}

static int compare(struct inspect_run *run, struct comparison *c, struct shown *out, struct err *e)
{
	const struct store_program *old = store_program(run->store);

	for (uint32_t i = 0; i < run->layouts.n; i++)
		if (put_old(run, c, &run->layouts.at[i], out, e))
			return -1;
	for (int i = 1; i <= c->now.plan->n_stages; i++)
		if (put_new(old, &c->now, i, out, e))
			return -1;
	return c->lost;
}

static int diff_all(struct inspect_run *run, struct shown *out, struct err *e)
{
	char *salt = durable_salt(run->opts);
	struct plan_given given = durable_given(run->opts, salt);
	struct comparison c = { 0 };
	struct plan now = { 0 };
	int status = run_compile(run->opts, &now, e);

	if (!status) {
		c.now = (struct stages){ &now, plan_meanings(&now, &given) };
		if (run->layouts.compiled)
			c.then = (struct stages){ &run->layouts.plan, plan_meanings(&run->layouts.plan, &given) };
		status = compare(run, &c, out, e);
	}
	plan_release(&now);
	free(salt);
	return status;
}

int inspect_diff_with(struct inspect_run *run, struct err *e)
{
	if (!store_program(run->store))
		return err_set(e, ERR_IO, "%s: remembers no program yet", run->dir);
	return show(run, diff_columns, ARRAY_LEN(diff_columns), diff_all, e);
}
