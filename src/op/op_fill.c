#include "op/op_fill.h"

#include <stdlib.h>

#include "data/rowstore.h"
#include "op/keep.h"
#include "op/op_assign.h"
#include "op/resting.h"

#define NO_ROW SIZE_MAX
#define FILL_VERSION 2 /* of entries */

/* A row of this micro-batch, or one to be made. */
struct entry {
	struct interval window;
	uint64_t born; /* of its key */
	uint32_t key; /* of a row to be made, where keys are away: among the guests */
	size_t row;   /* in the store, NO_ROW: to be made */
};

/* Of a key. */
#define KNOWN 1	 /* it had a row in a window that has come out */
#define RECENT 2 /* it had a row lately */

struct fill {
	struct op op;
	struct fill_spec spec;
	struct living keys;
	uint32_t *known; /* keys that are known, as they appeared; with `rolls` those that are not on the roll */
	size_t known_cap;
	uint32_t n_known;
	uint64_t n_all; /* known keys */
	uint8_t *flags; /* by key */
	size_t flags_cap;
	uint32_t n_flags;
	struct interval at; /* the next window to come out */
	bool begun, over;   /* there is one; there is none any more */
	struct rowstore rows;
	struct entry *in, *out;
	size_t in_cap, out_cap;
	uint32_t n_in, n_out;
	/* with run->durable */
	uint32_t n_kept; /* of known, those that the store has: the first ones */
	uint32_t at_mark;
	struct interval kept_at;
	uint64_t n_rolled; /* entries of the roll that came back */
	struct resting rest;
	bool rolls; /* keys are away: known ones are on the roll, entries in the order of their birth */
	struct groups guests;
};

/* ---- rows in ---- */

static void reserve(struct fill *f)
{
	f->flags = xgrow(f->flags, &f->flags_cap, f->keys.n, sizeof *f->flags);
	for (; f->n_flags < f->keys.n; f->n_flags++)
		f->flags[f->n_flags] = 0;
}

static void leave_key(struct fill *f, uint32_t key, uint32_t *stay)
{
	bool recent = f->flags[key] & RECENT;

	f->flags[key] &= (uint8_t)~RECENT;
	if (!living_has(&f->keys, key))
		return;
	if (recent && *stay)
		--*stay;
	else
		resting_leave(&f->rest, key, NULL);
}

/* Behind a commit, with every key in its entry: those without a row for the longest time leave memory. */
static void leave(struct fill *f)
{
	uint32_t stay, *names;

	if (f->n_in || f->n_kept < f->n_known || !resting_should_leave(&f->rest, &stay))
		return;
	for (uint32_t k = 0; k < f->n_flags; k++)
		leave_key(f, k, &stay);
	names = living_compact(&f->keys);
	for (uint32_t k = 0; k < f->n_flags; k++)
		if (names[k] != UINT32_MAX)
			f->flags[names[k]] = f->flags[k];
	free(names);
	f->n_flags = f->keys.n;
	f->flags_cap = f->n_flags + 1;
	f->flags = xrealloc(f->flags, f->flags_cap);
	free(f->known);
	f->known = NULL;
	f->known_cap = f->n_known = f->n_kept = 0;
	f->rolls = true;
	resting_left(&f->rest);
}

/* Number of the first key's column. */
static uint32_t first_key(const struct fill *f) { return f->spec.schema->n - f->spec.n_results - f->spec.n_keys; }

static int fill_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct fill *f = (struct fill *)op;
	uint32_t *key, known;

	(void)port;
	leave(f);
	known = f->keys.n;
	key = living_put(&f->keys, b, b->cols + first_key(f), b->sel, b->n_sel);
	reserve(f);
	if (resting_return(&f->rest, known, e))
		return -1;
	f->in = xgrow(f->in, &f->in_cap, (size_t)f->n_in + b->n_sel, sizeof *f->in);
	BATCH_EACH(b->sel, b->n_sel, i)
	{
		struct entry *r = &f->in[f->n_in++];

		if (!living_has(&f->keys, key[k_]))
			living_wake(&f->keys, key[k_], i);
		f->flags[key[k_]] |= RECENT;
		*r = (struct entry){ .key = key[k_],
				     .born = f->keys.born[key[k_]],
				     .row = rowstore_add(&f->rows, b, i, NULL, 0) };
		if (f->spec.window && (!row_time(b->hidden[HIDDEN_WINDOW_START], i, &r->window.start) ||
				       !row_time(b->hidden[HIDDEN_WINDOW_END], i, &r->window.end)))
			BUG("a row of a window without its bounds");
	}
	op->count[0] += b->n_sel;
	return op_check_memory(op, f->keys.n_live + f->rest.away.n, e);
}

/* ---- rows out ---- */

/* A chunk of rows on their way out, in columns of values. */
struct making {
	struct fill *f;
	const struct entry *at;
	uint32_t n, n_cols;
	struct value *v; /* n values a column */
	struct value *hidden[HIDDEN_COUNT_];
	uint32_t *made, n_made; /* those that are made */
};

static struct value *cell(const struct making *m, uint32_t col, uint32_t row) { return &m->v[(size_t)col * m->n + row]; }

static void copy_row(struct making *m, uint32_t k)
{
	const struct rowstore *rows = &m->f->rows;

	for (uint32_t c = 0; c < m->n_cols; c++)
		*cell(m, c, k) = rows->rows[m->at[k].row].v[c];
	for (int h = 0; h < HIDDEN_COUNT_; h++)
		if (m->hidden[h])
			m->hidden[h][k] = rowstore_hidden(rows, m->at[k].row, (enum hidden)h);
}

static void hide_window(struct making *m, uint32_t k, const struct interval *w)
{
	m->hidden[HIDDEN_EVENT][k] = v_time(w->end - 1);
	m->hidden[HIDDEN_WINDOW_START][k] = v_time(w->start);
	m->hidden[HIDDEN_WINDOW_END][k] = v_time(w->end);
	m->hidden[HIDDEN_PANE][k] = m->hidden[HIDDEN_PANE_ON_TIME][k] = v_int(0);
	m->hidden[HIDDEN_TIMING][k] = v_str("on_time", 7);
	m->hidden[HIDDEN_FINAL][k] = v_bool(true);
}

/* Bounds and key; the results are null for now. `key` has the columns of the keys, `nth` is the row's place there. */
static void make_row(struct making *m, uint32_t k, const struct column *key, uint32_t nth)
{
	const struct fill *f = m->f;
	uint32_t first = first_key(f);

	for (uint32_t c = 0; c < first; c++) {
		bool start = !strcmp(f->spec.schema->names[c], "window_start");
		const struct interval *w = &m->at[k].window;

		*cell(m, c, k) = !f->spec.window ? f->op.run->special[start ? SP_WINDOW_START : SP_WINDOW_END]
						 : v_time(start ? w->start : w->end);
	}
	for (uint32_t c = 0; c < f->spec.n_keys; c++)
		*cell(m, first + c, k) = column_get(&key[c], nth);
	for (uint32_t c = first + f->spec.n_keys; c < m->n_cols; c++)
		*cell(m, c, k) = v_null();
	if (f->spec.window)
		hide_window(m, k, &m->at[k].window);
}

static struct column *key_columns(const struct fill *f, const uint32_t *list, uint32_t n, struct arena *a)
{
	struct column *cols;

	if (!f->rolls)
		return living_columns(&f->keys, list, n, a);
	cols = arena_array(a, struct column, f->spec.n_keys);
	groups_keys(&f->guests, list, 0, n, a, cols);
	return cols;
}

static void make_rows(struct making *m)
{
	struct arena *a = &m->f->op.arena;
	uint32_t *list = arena_array(a, uint32_t, m->n + 1), n = 0;
	struct column *key;

	for (uint32_t k = 0; k < m->n; k++)
		if (m->at[k].row == NO_ROW)
			list[n++] = m->at[k].key;
	key = key_columns(m->f, list, n, a);
	for (uint32_t k = 0; k < m->n; k++) {
		if (m->at[k].row != NO_ROW) {
			copy_row(m, k);
			continue;
		}
		make_row(m, k, key, m->n_made);
		m->made[m->n_made++] = k;
	}
}

static void make_columns(const struct making *m, struct batch *b, bool tight)
{
	struct arena *a = b->arena;
	struct column *cols = arena_array(a, struct column, m->n_cols + HIDDEN_COUNT_), *hidden = cols + m->n_cols;

	for (uint32_t c = 0; c < m->n_cols; c++)
		cols[c] = tight ? column_tighten(a, cell(m, c, 0), NULL, m->n, m->n)
				: (struct column){ .v = cell(m, c, 0), .type = T_ANY, .has_null = true };
	b->cols = cols;
	for (int h = 0; h < HIDDEN_COUNT_; h++) {
		if (!m->hidden[h])
			continue;
		hidden[h] = column_tighten(a, m->hidden[h], NULL, m->n, m->n);
		b->hidden[h] = &hidden[h];
	}
}

/* The results of the rows made are what the expression says. */
static void fill_results(const struct making *m, const struct batch *b)
{
	struct fill *f = m->f;
	struct column x = expr_eval(f->spec.value_take, &f->op.eval, b, m->made, m->n_made);

	for (uint32_t c = m->n_cols - f->spec.n_results; c < m->n_cols; c++)
		for (uint32_t i = 0; i < m->n_made; i++)
			*cell(m, c, m->made[i]) = column_get(&x, m->made[i]);
}

static int push_out(struct fill *f, struct err *e)
{
	struct arena *a = &f->op.arena;
	struct making m = { .f = f, .at = f->out, .n = f->n_out, .n_cols = f->spec.schema->n };
	struct batch b = { .schema = f->spec.schema, .n_rows = m.n, .n_sel = m.n, .arena = a };
	int verdict;

	if (!m.n)
		return 0;
	m.v = arena_array(a, struct value, (size_t)m.n * m.n_cols + 1);
	m.made = arena_array(a, uint32_t, m.n);
	for (int h = 0; f->spec.window && h < HIDDEN_SPECIALS_; h++)
		m.hidden[h] = arena_array(a, struct value, m.n);
	make_rows(&m);
	if (m.n_made) {
		make_columns(&m, &b, false);
		fill_results(&m, &b);
	}
	make_columns(&m, &b, true);
	f->n_out = 0;
	verdict = op_push(&f->op, &b, e);
	arena_reset(a);
	if (f->rolls)
		groups_clear(&f->guests);
	return verdict;
}

static int put_out(struct fill *f, struct entry r, struct err *e)
{
	f->out = xgrow(f->out, &f->out_cap, f->n_out + 1, sizeof *f->out);
	f->out[f->n_out++] = r;
	return f->n_out == batch_rows() && push_out(f, e) < 0 ? -1 : 0;
}

/* ---- windows, one after the other ---- */

static int compare(const struct interval *a, const struct interval *b)
{
	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	return a->start < b->start ? -1 : a->start > b->start;
}

static int by_window(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int c = compare(&a->window, &b->window);

	if (c)
		return c;
	if (a->born != b->born)
		return a->born < b->born ? -1 : 1;
	return a->row < b->row ? -1 : a->row > b->row;
}

static void know(struct fill *f, uint32_t key)
{
	uint32_t i = f->n_known++;

	f->flags[key] |= KNOWN;
	f->n_all++;
	f->known = xgrow(f->known, &f->known_cap, f->n_known, sizeof *f->known);
	for (; i && f->keys.born[f->known[i - 1]] > f->keys.born[key]; i--)
		f->known[i] = f->known[i - 1];
	f->known[i] = key;
}

/* A window on its way out: its rows in[from .. to) that have not come out, in the order of their keys. */
struct leaf {
	struct fill *f;
	const struct interval *w;
	uint32_t from, to;
	struct err *e;
};

/* The rows of a known key, or one that is made. */
static int put_known(struct leaf *l, uint64_t born, uint32_t key)
{
	struct fill *f = l->f;

	if (l->from == l->to || f->in[l->from].born != born)
		return put_out(f, (struct entry){ *l->w, born, key, NO_ROW }, l->e);
	for (; l->from < l->to && f->in[l->from].born == born; l->from++)
		if (put_out(f, f->in[l->from], l->e))
			return -1;
	return 0;
}

/* Of --mem: keys of the roll that are read at a time. */
#define ROLL_SHARE 16
#define TAG_KEY 'k'
#define TAG_ROLL 'o'
#define ROLL_BYTES 9

static void roll_key(uint64_t born, char out[ROLL_BYTES])
{
	out[0] = TAG_ROLL;
	for (int i = 1; i < ROLL_BYTES; i++)
		out[i] = (char)(born >> (64 - 8 * i));
}

/* The next keys in the order of their birth, each with its values. */
struct roll {
	struct leaf *l;
	size_t room;
	char from[ROLL_BYTES];
	struct buf keys;
	bool over;
};

static int roll_entry(void *ctx, const struct kept_entry *entry)
{
	struct roll *r = ctx;

	if (entry->key_n != ROLL_BYTES || *entry->key != TAG_ROLL)
		return 1;
	if (r->keys.n >= r->room) {
		memcpy(r->from, entry->key, sizeof r->from);
		r->over = false;
		return 1;
	}
	put_bytes(&r->keys, (struct store_bytes){ entry->value, entry->n });
	return 0;
}

static int put_rolled(struct roll *r, struct store_bytes value)
{
	struct fill *f = r->l->f;
	struct bytes_in in = keep_open(value.p, value.n, FILL_VERSION);
	uint64_t born = get_varint(&in);
	uint32_t group;

	if (in.bad || groups_load(&f->guests, &in.p, in.end, &group) || !keep_over(&in))
		return keep_refuse(&f->op, r->l->e);
	return put_known(r->l, born, group);
}

static int put_roll(struct leaf *l)
{
	const struct run *run = l->f->op.run;
	struct roll r = { .l = l, .room = (size_t)(run->mem_max / ROLL_SHARE) };
	int failed = 0;

	roll_key(0, r.from);
	while (!r.over && !failed) {
		struct kept_walk w = { r.from, sizeof r.from, roll_entry, &r };
		struct bytes_in in;

		r.keys.n = 0;
		r.over = true;
		failed = run->walk(run->fetch_ctx, &l->f->op, &w, l->e) < 0 ? -1 : 0;
		in = (struct bytes_in){ .p = r.keys.p, .end = r.keys.p + r.keys.n };
		while (!failed && in.p < in.end)
			failed = put_rolled(&r, get_bytes(&in));
	}
	buf_release(&r.keys);
	return failed;
}

/* A row for each known key of the window. */
static int put_window(struct fill *f, const struct interval *w, uint32_t from, uint32_t to, struct err *e)
{
	struct leaf l = { f, w, from, to, e };

	for (uint32_t i = from; i < to; i++)
		if (!(f->flags[f->in[i].key] & KNOWN))
			know(f, f->in[i].key);
	if (f->rolls && put_roll(&l))
		return -1;
	for (uint32_t k = 0; k < f->n_known; k++) {
		uint32_t key = f->known[k], at = key;

		if (f->rolls)
			groups_copy(&f->guests, &f->keys.groups, &key, 1, &at);
		if (put_known(&l, f->keys.born[key], at))
			return -1;
	}
	return 0;
}

static int too_many(const struct fill *f, struct err *e)
{
	err_set(e, ERR_IO, "stage %d: fill: over %d empty windows at once", f->op.stage, FILL_WINDOWS_MAX);
	return err_hint(e, "a record with a wrong time may have moved the watermark: filter such records in front of it");
}

/* A row of a window that has come out. */
static int put_behind(struct fill *f, const struct entry *row, struct err *e)
{
	if (!(f->flags[row->key] & KNOWN))
		know(f, row->key);
	return put_out(f, *row, e);
}

/* Windows up to the limit, and all that have rows. */
static int put_windows(struct fill *f, int64_t limit, struct err *e)
{
	uint32_t from = 0, filled = 0;

	while (!f->over) {
		uint32_t to = from;

		for (; from < f->n_in && f->begun && compare(&f->in[from].window, &f->at) < 0; from++)
			if (put_behind(f, &f->in[from], e))
				return -1;
		if (from < f->n_in && !f->begun) {
			f->at = f->in[from].window;
			f->begun = true;
		}
		if (!f->begun || (from == f->n_in && f->at.end > limit))
			return 0;
		for (to = from; to < f->n_in && !compare(&f->in[to].window, &f->at);)
			to++;
		if (to == from && ++filled > FILL_WINDOWS_MAX)
			return too_many(f, e);
		if (put_window(f, &f->at, from, to, e))
			return -1;
		from = to;
		f->over = !window_next(f->spec.window, &f->at, &f->at);
	}
	for (; from < f->n_in; from++)
		if (put_behind(f, &f->in[from], e))
			return -1;
	return 0;
}

static int64_t limit_of(const struct fill *f)
{
	int64_t w = f->op.watermark;

	if (w == WATERMARK_NONE || w == WATERMARK_END)
		return INT64_MIN; /* at the end of the input only what brought rows */
	return w < INT64_MIN + f->spec.lateness_ns ? INT64_MIN : w - f->spec.lateness_ns;
}

static int fill_batch_end(struct op *op, struct err *e)
{
	static const struct interval none;
	struct fill *f = (struct fill *)op;
	int verdict;

	if (f->n_in)
		qsort(f->in, f->n_in, sizeof *f->in, by_window);
	verdict = f->spec.window ? put_windows(f, limit_of(f), e) : put_window(f, &none, 0, f->n_in, e);
	if (!verdict)
		verdict = push_out(f, e);
	f->n_in = 0;
	rowstore_clear(&f->rows);
	return verdict < 0 ? -1 : 0;
}

/* ---- checkpoints ----
 *
 * k | values of the key      -> version | order varint
 * o | order u64 big-endian   -> version | order varint | values of the key
 * t                          -> version | start, end of the next window */

static void put_key(const struct fill *f, uint32_t key, struct keep *k)
{
	uint64_t born = f->keys.born[key];
	char roll[ROLL_BYTES];
	uint32_t mark = 0; /* what is known stays so */

	keep_start(k, TAG_KEY, FILL_VERSION);
	living_save(&f->keys, key, &k->key);
	put_varint(&k->value, born);
	keep_put(k, &mark);
	mark = 0;
	roll_key(born, roll);
	keep_start(k, TAG_ROLL, FILL_VERSION);
	buf_add(&k->key, roll + 1, sizeof roll - 1);
	put_varint(&k->value, born);
	living_save(&f->keys, key, &k->value);
	keep_put(k, &mark);
}

static void fill_commit(struct op *op, struct keeper *to)
{
	struct fill *f = (struct fill *)op;
	struct keep k = { .to = to };

	for (; f->n_kept < f->n_known; f->n_kept++)
		put_key(f, f->known[f->n_kept], &k);
	if (f->rolls)
		f->n_known = f->n_kept = 0;
	if (f->begun && compare(&f->at, &f->kept_at)) {
		keep_start(&k, 't', FILL_VERSION);
		keep_int(&k.value, f->at.start);
		keep_int(&k.value, f->at.end);
		keep_put(&k, &f->at_mark);
		f->kept_at = f->at;
	}
	keep_release(&k);
}

static int restore_at(struct fill *f, struct bytes_in in, uint32_t mark)
{
	f->at.start = keep_get_int(&in);
	f->at.end = keep_get_int(&in);
	f->kept_at = f->at;
	f->at_mark = mark;
	f->begun = true;
	return keep_over(&in) && f->at.start < f->at.end ? 0 : -1;
}

/* The key is in memory. */
static int load_key(struct fill *f, struct bytes_in key, struct bytes_in in, uint32_t *number)
{
	uint64_t born = get_varint(&in);

	if (!keep_over(&in) || living_load(&f->keys, &key, born, number) || !keep_over(&key))
		return -1;
	reserve(f);
	f->flags[*number] |= KNOWN;
	return 0;
}

static int fill_load(struct op *op, const struct kept_entry *entry)
{
	uint32_t number;

	return load_key((struct fill *)op, keep_open(entry->key, entry->key_n, TAG_KEY), keep_open(entry->value, entry->n, FILL_VERSION), &number);
}

static const struct resting_calls fill_calls = { .load = fill_load, .tag = TAG_KEY };

static int restore_key(struct fill *f, struct bytes_in key, struct bytes_in in)
{
	uint32_t number;

	if (load_key(f, key, in, &number))
		return -1;
	f->n_all++;
	if (!f->rolls) {
		f->known = xgrow(f->known, &f->known_cap, f->n_known + 1, sizeof *f->known);
		f->known[f->n_known++] = number;
		f->n_kept = f->n_known;
	}
	leave(f);
	return 0;
}

static int by_birth(const void *a, const void *b, void *ctx)
{
	const uint64_t *born = ctx;
	uint64_t i = born[*(const uint32_t *)a], j = born[*(const uint32_t *)b];

	return i < j ? -1 : i > j;
}

/* Each known key is on the roll. */
static int restored(struct fill *f)
{
	if (f->n_known)
		qsort_r(f->known, f->n_known, sizeof *f->known, by_birth, f->keys.born);
	return f->n_rolled == f->n_all ? 0 : -1;
}

static int restore_entry(struct fill *f, const struct kept_entry *entry)
{
	struct bytes_in in = keep_open(entry->value, entry->n, FILL_VERSION);

	if (entry->key_n == 1 && *entry->key == 't')
		return restore_at(f, in, entry->mark);
	if (entry->key_n == ROLL_BYTES && *entry->key == TAG_ROLL) {
		f->n_rolled++;
		return in.bad ? -1 : 0;
	}
	return restore_key(f, keep_open(entry->key, entry->key_n, TAG_KEY), in);
}

static int fill_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct fill *f = (struct fill *)op;
	int bad = key ? restore_entry(f, &(struct kept_entry){ key, value, key_n, n, mark }) : restored(f);

	return bad ? keep_refuse(op, e) : 0;
}

/* ---- the operator ---- */

/* Windows of the clock end whether or not records come. */
static bool fill_answers_empty(const struct op *op)
{
	const struct fill *f = (const struct fill *)op;

	return !f->spec.window && f->n_all;
}

static uint64_t fill_held(const struct op *op, const char **what)
{
	*what = "keys";
	return ((const struct fill *)op)->n_all;
}

static size_t fill_memory(const struct op *op)
{
	const struct fill *f = (const struct fill *)op;

	return living_memory(&f->keys) + f->known_cap * sizeof(uint32_t) + f->flags_cap + (f->rolls ? groups_memory(&f->guests) : 0) +
	       resting_memory(&f->rest) + rowstore_memory(&f->rows) + (f->in_cap + f->out_cap) * sizeof(struct entry);
}

static void fill_free(struct op *op)
{
	struct fill *f = (struct fill *)op;

	expr_release(f->spec.value_take);
	living_release(&f->keys);
	rowstore_release(&f->rows);
	free(f->known);
	free(f->flags);
	groups_release(&f->guests);
	resting_release(&f->rest);
	free(f->in);
	free(f->out);
}

static const struct op_class fill_class = {
	.name = "fill",
	.leaves = true,
	.counters = { "passed" },
	.process = fill_process,
	.on_batch_end = fill_batch_end,
	.free = fill_free,
	.memory = fill_memory,
	.answers_empty = fill_answers_empty,
	.held = fill_held,
	.commit = fill_commit,
	.restore = fill_restore,
};

struct op *op_fill(struct run *run, int stage, const char *word, const struct fill_spec *spec)
{
	struct fill *f = op_make(&fill_class, sizeof *f, run, stage, word);

	f->spec = *spec;
	living_init(&f->keys, spec->n_keys);
	groups_init(&f->guests, spec->n_keys);
	resting_init(&f->rest, &f->op, &f->keys, &fill_calls);
	f->op.stays = !spec->n_keys;
	return &f->op;
}
