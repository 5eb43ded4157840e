/* strm checkpoint get, top and export. */
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/num.h"
#include "cli/inspect.h"
#include "data/rowkey.h"

static const char *const key_columns[] = { "key", "state", "timers", "bytes", "stage" };

/* An entry as a row: what is not there is left out where records may differ. */
static int put_entry(struct shown *out, const struct inspect_layout *l, const struct store_entry *entry, const struct inspect_view *v, struct err *e)
{
	struct value cells[ARRAY_LEN(key_columns)] = { v->key, v->state, v->timers, v_int((int64_t)(entry->key.n + entry->value.n)),
						       v_str(l->title, strlen(l->title)) };
	struct field row[ARRAY_LEN(key_columns)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(key_columns); i++)
		if (cells[i].type != T_NULL)
			row[n++] = (struct field){ .name = key_columns[i], .name_n = (uint32_t)strlen(key_columns[i]), .v = cells[i] };
	return shown_put(out, row, n, e);
}

/* ---- get ---- */

struct getting {
	struct inspect_run *run;
	const struct inspect_layout *layout;
	struct arena arena; /* of an entry */
	struct shown out;
	struct nearest near;
	struct buf text, best;
	uint64_t found;
	struct buf names;  /* of the keys of a stage that has another number of them */
	const char *stage; /* that one; NULL: none was seen */
	struct err *e;
};

static void print_key(struct getting *g, const struct value *v)
{
	g->text.n = 0;
	value_print(&g->text, v, NULL);
	buf_cstr(&g->text);
}

static bool is_window(const struct field *f)
{
	return (!strncmp(f->name, "window_", 7) && f->v.type == T_TIME) || (!strcmp(f->name, "slice") && f->v.type == T_INT);
}

/* Null is the empty argument, or its name as JSON prints it. */
static bool is_arg(struct getting *g, const struct value *v, const char *arg)
{
	if (v->type == T_NULL && !strcmp(arg, "null"))
		return true;
	print_key(g, v);
	return g->text.n == strlen(arg) && (!g->text.n || !memcmp(g->text.p, arg, g->text.n));
}

/* As many fields as were given, and then only a window. */
static bool is_wanted(struct getting *g, const struct value *key)
{
	unsigned n = g->run->n_args;

	if (key->type != T_OBJECT || key->n < n)
		return false;
	for (uint32_t i = 0; i < key->n; i++) {
		if (i >= n && !is_window(&key->fields[i]))
			return false;
		if (i < n && !is_arg(g, &key->fields[i].v, g->run->args[i]))
			return false;
	}
	return true;
}

/* Its fields are as many as were given: is it the nearest? (The name outlives the entry.) */
static void offer_key(struct getting *g, const struct value *key)
{
	print_key(g, &key->fields[0].v);
	nearest_offer(&g->near, buf_cstr(&g->text));
	if (g->near.best != g->text.p)
		return;
	g->best.n = 0;
	buf_add(&g->best, g->text.p, g->text.n);
	g->near.best = buf_cstr(&g->best);
}

static void offer(struct getting *g, const struct value *key)
{
	uint32_t n = 0;

	while (key->type == T_OBJECT && n < key->n && !is_window(&key->fields[n]))
		n++;
	if (n == 1 && g->run->n_args == 1)
		offer_key(g, key);
	if (!n || n == g->run->n_args || g->stage)
		return;
	g->stage = g->layout->title;
	for (uint32_t i = 0; i < n; i++)
		buf_printf(&g->names, "%s%.*s", i ? ", " : "", (int)key->fields[i].name_n, key->fields[i].name);
}

static int get_one(void *ctx, const struct store_entry *entry)
{
	struct getting *g = ctx;
	struct inspect_view v;
	int r = 0;

	layout_view(g->layout, entry, &g->arena, &v);
	if (!v.own && is_wanted(g, &v.key)) {
		g->found++;
		layout_fill(&g->run->layouts, g->layout, entry, &g->arena, &v);
		r = put_entry(&g->out, g->layout, entry, &v, g->e);
	} else if (!v.own && !g->found) {
		offer(g, &v.key);
	}
	arena_reset(&g->arena);
	return r;
}

static int not_found(struct getting *g, struct err *e)
{
	struct buf b = { 0 };

	for (unsigned i = 0; i < g->run->n_args; i++)
		buf_printf(&b, "%s\"%s\"", i ? ", " : "", g->run->args[i]);
	err_set(e, ERR_IO, "%s: no stage has %s%s", g->run->dir, g->run->n_args ? "the key " : "state without a key", buf_cstr(&b));
	buf_release(&b);
	if (g->near.best)
		return err_hint(e, "did you mean \"%s\"?", g->near.best);
	if (g->stage)
		return err_hint(e, "keys of \"%s\" are %s: each is an argument", g->stage, buf_cstr(&g->names));
	return err_hint(e, "`strm checkpoint top %s` shows some", g->run->dir);
}

static int get_all(struct getting *g, uint32_t stage, struct err *e)
{
	for (uint32_t i = 0; i < g->run->layouts.n; i++) {
		g->layout = &g->run->layouts.at[i];
		if (g->layout->inputs || (stage && g->layout->stage->id != stage))
			continue;
		if (store_load(g->run->store, g->layout->stage->id, get_one, g, e))
			return -1;
	}
	return g->found ? shown_end(&g->out, e) : not_found(g, e);
}

int inspect_get(struct inspect_run *run, struct err *e)
{
	struct getting g = { .run = run, .e = e };
	uint32_t stage;
	int r = -1;

	nearest_init(&g.near, run->n_args ? run->args[0] : "", run->n_args ? strlen(run->args[0]) : 0);
	if (!inspect_stage_wanted(run, &stage, e) && !shown_open(&g.out, run->opts, "table", key_columns, ARRAY_LEN(key_columns), e))
		r = get_all(&g, stage, e);
	shown_close(&g.out);
	arena_release(&g.arena);
	buf_release(&g.text);
	buf_release(&g.best);
	buf_release(&g.names);
	return r;
}

/* ---- top ---- */

#define TOP_DEFAULT 10
#define TOP_MAX 1000000

static int put_fattest(struct inspect_run *run, const struct inspect_entry *rows, size_t n, struct shown *out, struct err *e)
{
	struct arena a = { 0 };
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		struct store_entry entry = { { rows[i].key.p, rows[i].key.n }, { rows[i].value.p, rows[i].value.n }, 0 };
		const struct inspect_layout *l = layout_of(&run->layouts, rows[i].stage);
		struct inspect_view v;

		layout_view(l, &entry, &a, &v);
		layout_fill(&run->layouts, l, &entry, &a, &v);
		v.state = v.timers = v_null();
		r = put_entry(out, l, &entry, &v, e);
		arena_reset(&a);
	}
	arena_release(&a);
	return r ? -1 : shown_end(out, e);
}

static int wanted_number(const struct inspect_run *run, size_t *n, struct err *e)
{
	struct num k;

	*n = TOP_DEFAULT;
	if (!run->n_args)
		return 0;
	if (num_parse(run->args[0], strlen(run->args[0]), &k) != NUM_INT || k.i < 1 || k.i > TOP_MAX)
		return err_set(e, ERR_USAGE, "checkpoint top: \"%s\" is not a number from 1 to %d", run->args[0], TOP_MAX);
	*n = (size_t)k.i;
	return 0;
}

int inspect_fattest(struct inspect_run *run, struct err *e)
{
	static const char *const columns[] = { "key", "bytes", "stage" };
	struct inspect_entry *rows;
	struct shown out = { 0 };
	uint32_t stage;
	size_t n;
	int r = -1;

	if (wanted_number(run, &n, e) || inspect_stage_wanted(run, &stage, e))
		return -1;
	rows = xcalloc(n, sizeof *rows);
	if (!inspect_top(run->store, stage, rows, &n, e)) {
		if (!shown_open(&out, run->opts, "table", columns, ARRAY_LEN(columns), e))
			r = put_fattest(run, rows, n, &out, e);
		inspect_entries_release(rows, n);
	}
	shown_close(&out);
	free(rows);
	return r;
}

/* ---- export ---- */

struct exporting {
	const struct inspect_run *run;
	const struct inspect_layout *layout;
	struct arena arena;
	struct shown out;
	struct err *e;
};

static bool all_digits(const char *p, size_t n)
{
	while (n && *p >= '0' && *p <= '9')
		p++, n--;
	return !n;
}

/* Text that would be a number in JSON, and as such another key: 1.50. The empty text would be null in CSV. */
static bool is_text_only(struct arena *a, const struct value *v)
{
	struct key_bytes key;
	struct value number;
	struct num at;
	enum num_kind kind;

	if (v->type != T_TEXT)
		return false;
	kind = num_parse(v->s, v->n, &at);
	if (kind != NUM_INT && kind != NUM_FLOAT)
		return !v->n;
	if (kind == NUM_FLOAT && all_digits(v->s, v->n))
		return false;
	number = kind == NUM_INT ? v_int(at.i) : v_float(at.f);
	key_of_value(a, &number, &key);
	return key.n != v->n || memcmp(key.p, v->s, v->n);
}

static struct field key_field(struct arena *a, const struct field *from)
{
	struct field f = *from;

	if (is_text_only(a, &f.v))
		f.v = v_str(f.v.s, f.v.n);
	return f;
}

static int export_one(void *ctx, const struct store_entry *entry)
{
	struct exporting *x = ctx;
	struct inspect_view v;
	struct field *row;
	int r;

	layout_view(x->layout, entry, &x->arena, &v);
	if (v.own)
		return 0;
	if (v.state.type != T_OBJECT || v.key.type != T_OBJECT) {
		err_set(x->e, ERR_IO, "%s: \"%s\" has an entry that is not laid out as the stage says", x->run->dir, x->layout->title);
		return -1;
	}
	row = arena_array(&x->arena, struct field, (size_t)v.key.n + v.state.n + 1);
	for (uint32_t i = 0; i < v.key.n; i++)
		row[i] = key_field(&x->arena, &v.key.fields[i]);
	for (uint32_t i = 0; i < v.state.n; i++)
		row[v.key.n + i] = v.state.fields[i];
	r = shown_put(&x->out, row, (size_t)v.key.n + v.state.n, x->e);
	arena_reset(&x->arena);
	return r;
}

static bool is_state(const struct inspect_layout *l) { return !strncmp(l->title, "state", 5) && (l->title[5] == ' ' || !l->title[5]); }

static int no_state(const struct inspect_run *run, const struct inspect_layout *l, struct err *e)
{
	if (l)
		err_set(e, ERR_USAGE, "checkpoint export: what \"%s\" keeps has no form outside of it", l->title);
	else
		err_set(e, ERR_USAGE, "checkpoint export: %s has no stage \"state\"", run->dir);
	return err_hint(e, "variables of `state` can be exported; `strm checkpoint get` and `top` show other stages");
}

/* The one stage whose state goes out. */
static const struct inspect_layout *choose(const struct inspect_run *run, uint32_t stage, struct err *e)
{
	const struct inspect_layout *found = stage ? layout_of(&run->layouts, stage) : NULL;

	for (uint32_t i = 0; !stage && i < run->layouts.n; i++) {
		const struct inspect_layout *l = &run->layouts.at[i];

		if (!is_state(l))
			continue;
		if (found) {
			err_set(e, ERR_USAGE, "checkpoint export: \"%s\" and \"%s\" have state", found->title, l->title);
			err_hint(e, "say which: --stage %u", found->stage->id);
			return NULL;
		}
		found = l;
	}
	if (!found || !is_state(found)) {
		no_state(run, found, e);
		return NULL;
	}
	if (found->node && found->node->kind == PLAN_STATE)
		return found;
	err_set(e, ERR_IO, "%s: the program it remembers does not compile any more, so its state has no names", run->dir);
	return NULL;
}

int inspect_to_lines(struct inspect_run *run, struct err *e)
{
	struct exporting x = { .run = run, .e = e };
	uint32_t stage;
	int r = -1;

	if (inspect_stage_wanted(run, &stage, e) || !(x.layout = choose(run, stage, e)))
		return -1;
	if (!shown_open(&x.out, run->opts, "json", NULL, 0, e) && !store_load(run->store, x.layout->stage->id, export_one, &x, e))
		r = shown_end(&x.out, e);
	shown_close(&x.out);
	arena_release(&x.arena);
	return r;
}
