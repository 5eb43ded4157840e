#include "op/op_window.h"

#include <stdlib.h>

#include "op/pieces.h"
#include "op/sliding.h"
#include "state/bytes.h"

/* ---- slides ---- */

struct slides {
	struct window_spec spec;
	int64_t last; /* number of the slide that the last micro-batch ended in; without a slide its time */
	bool any;
	uint64_t since; /* records behind the last slide */
	int64_t kept;  /* last, as committed */
};

/* Slides until then. */
static int64_t slides_until(const struct slides *s, const struct run *run, int64_t t)
{
	return t > run->start ? (t - run->start) / s->spec.slide_ns : 0;
}

/* The number of the last slide that was seen, or that ended in an interval with nothing to say. */
static int64_t last_slide(const struct slides *s, const struct run *run)
{
	int64_t t = run->now - 1, every = run->interval_ns, seen = s->any ? s->last : 0, passed;

	passed = every ? slides_until(s, run, t - (t % every + every) % every) : 0;
	return passed > seen ? passed : seen;
}

/* Is a window due at the end of this micro-batch? Without a slide one is, unless nothing came and the clock stood. */
static bool slide_due(struct slides *s, const struct run *run, bool came)
{
	int64_t k = s->spec.slide_ns ? slides_until(s, run, run->now) : run->now;

	bool due = s->spec.slide_ns ? k > last_slide(s, run) : !s->any || came || k != s->last;

	s->last = k;
	s->any = true;
	if (due)
		s->since = 0;
	return due;
}

static void slides_took(struct slides *s, struct op *op, uint32_t n)
{
	op->count[0] += n;
	s->since += n;
}

/* Time is over, and what came behind the last slide is in no window. */
static void slides_end(struct slides *s, struct op *op)
{
	if (!op->run->last || !op->run->ends)
		return;
	op->count[0] -= s->since;
	op->count[1] += s->since;
	s->since = 0;
}

/* When the next window ends, INT64_MAX: each micro-batch ends one. */
static int64_t next_slide(const struct slides *s, const struct run *run)
{
	int64_t by, at;

	if (!s->spec.slide_ns || __builtin_mul_overflow((s->any ? s->last : 0) + 1, s->spec.slide_ns, &by) || __builtin_add_overflow(run->start, by, &at))
		return INT64_MAX;
	return at;
}

/* What came from then on is in the next window, or is to have one of its own. */
static int64_t unseen_from(const struct slides *s, const struct run *run)
{
	int64_t next = next_slide(s, run);

	return next < INT64_MAX ? next - s->spec.length_ns + 1 : s->last + 1;
}

/* `at`: when the first of that came, INT64_MAX: there is none. */
static int64_t slides_wake(const struct slides *s, const struct run *run, int64_t at)
{
	return at == INT64_MAX || !s->spec.slide_ns ? at : next_slide(s, run);
}

/* In a checkpoint: an entry of one byte, with `last`. */
#define SLIDES_KEY "s"

static void slides_commit(struct slides *s, struct keeper *k, uint32_t *mark)
{
	struct buf value = { 0 };

	if (!s->any || (*mark && s->last == s->kept))
		return;
	s->kept = s->last;
	put_le(&value, (uint64_t)s->last, 8);
	k->put(k, SLIDES_KEY, 1, value.p, value.n, mark);
	buf_release(&value);
}

static int slides_restore(struct slides *s, const struct store_bytes key_value[2])
{
	struct bytes_in in = { key_value[1].p, key_value[1].p + key_value[1].n, false };

	s->last = s->kept = (int64_t)get_le(&in, 8);
	s->any = true;
	return in.bad || in.p != in.end || memcmp(key_value[0].p, SLIDES_KEY, 1) ? -1 : 0;
}

/* ---- reduce over windows ---- */

struct wreduce {
	struct op op;
	struct reducer reducer;
	struct slides slides;
	struct sliding sliding; /* a slice is what came at one time */
	uint32_t mark;          /* of the entry of slides */
	bool came;              /* in this micro-batch */
};

static int wreduce_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct wreduce *w = (struct wreduce *)op;
	struct sliding_intake in;
	uint32_t slice;

	(void)port;
	w->came = true;
	if (sliding_begin(&w->sliding, &in, b, e))
		return -1;
	slice = sliding_slice(&w->sliding, op->run->now);
	for (uint32_t k = 0; k < b->n_sel; k++)
		sliding_row(&w->sliding, &in, k, slice);
	sliding_end(&w->sliding, &in);
	slides_took(&w->slides, op, b->n_sel);
	return sliding_check_memory(&w->sliding, e);
}

static int push_rows(struct wreduce *w, const struct reduce_rows *rows, struct err *e)
{
	struct batch b;
	int verdict;

	reducer_batch(&w->reducer, rows, &b);
	verdict = op_push(&w->op, &b, e);
	arena_reset(&w->op.arena);
	return verdict;
}

static int push_keys(struct wreduce *w, const uint32_t *keys, uint32_t n, struct err *e)
{
	uint32_t *slots = arena_array(&w->op.arena, uint32_t, n + 1);
	struct reduce_rows rows = { .groups = &w->sliding.groups, .key_list = keys, .state_list = slots, .n = n };
	int verdict;

	sliding_states(&w->sliding, keys, n, slots);
	rows.states = w->sliding.states;
	verdict = push_rows(w, &rows, e);
	sliding_done(&w->sliding);
	return verdict;
}

static int push_window(struct wreduce *w, struct err *e)
{
	uint32_t n, step = batch_rows();
	const uint32_t *keys = sliding_keys(&w->sliding, &n);
	int verdict = 0;

	for (uint32_t from = 0; from < n && !verdict; from += step)
		verdict = push_keys(w, keys + from, n - from < step ? n - from : step, e);
	return verdict;
}

static int push_some(struct wreduce *w, const struct sliding_view *v, struct err *e)
{
	struct reduce_rows rows = { .groups = &v->groups, .states = w->sliding.states };
	uint32_t step = batch_rows();
	int verdict = 0;

	for (uint32_t from = 0; from < v->n && !verdict; from += step) {
		rows.key_list = v->keys + from;
		rows.state_list = v->slots + from;
		rows.n = v->n - from < step ? v->n - from : step;
		verdict = push_rows(w, &rows, e);
	}
	return verdict;
}

/* With keys that are away. */
static int push_view(struct wreduce *w, int64_t from, struct err *e)
{
	struct sliding_view v;
	int verdict = 0, more = 1;

	sliding_view_begin(&w->sliding, &v, from, w->op.run->now + 1);
	while (!verdict && (more = sliding_view_next(&v, e)) > 0)
		verdict = push_some(w, &v, e);
	sliding_view_end(&v);
	return more < 0 ? -1 : verdict;
}

/* Nothing came: `count` says so. */
static int push_nothing(struct wreduce *w, struct err *e)
{
	struct reduce_rows rows = { .states = w->sliding.states, .from = w->sliding.spare, .n = 1 };
	struct batch b;
	int verdict;

	reducer_batch(&w->reducer, &rows, &b);
	verdict = op_push(&w->op, &b, e);
	arena_reset(&w->op.arena);
	return verdict;
}

static int wreduce_batch_end(struct op *op, struct err *e)
{
	struct wreduce *w = (struct wreduce *)op;
	int64_t until = op->run->now - w->slides.spec.length_ns;
	bool came = w->came, due;
	int verdict = 0;

	w->came = false;
	if (sliding_sweep(&w->sliding, e))
		return -1;
	due = slide_due(&w->slides, op->run, came);
	slides_end(&w->slides, op);
	if (!due)
		return OP_HOLD;
	sliding_move(&w->sliding, until + 1, op->run->now + 1);
	if (sliding_any(&w->sliding))
		verdict = w->sliding.away.n ? push_view(w, until + 1, e) : push_window(w, e);
	else if (w->reducer.spec.count_zero)
		verdict = push_nothing(w, e);
	reducer_collect_failures(&w->reducer);
	sliding_compact(&w->sliding);
	return verdict;
}

static bool wreduce_answers_empty(const struct op *op)
{
	return ((const struct wreduce *)op)->reducer.spec.count_zero;
}

static bool wreduce_holds(const struct op *op)
{
	return ((const struct wreduce *)op)->sliding.used_slices;
}

static int64_t wreduce_wakes(struct op *op)
{
	const struct wreduce *w = (const struct wreduce *)op;

	return slides_wake(&w->slides, op->run, sliding_first(&w->sliding, unseen_from(&w->slides, op->run)));
}

static void wreduce_free(struct op *op)
{
	struct wreduce *w = (struct wreduce *)op;

	sliding_release(&w->sliding);
	reducer_release(&w->reducer);
}

static size_t wreduce_memory(const struct op *op)
{
	return sliding_memory(&((const struct wreduce *)op)->sliding);
}

static void wreduce_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	reducer_unseen(&((const struct wreduce *)op)->reducer, fn, ctx);
}

static void wreduce_commit(struct op *op, struct keeper *k)
{
	struct wreduce *w = (struct wreduce *)op;

	slides_commit(&w->slides, k, &w->mark);
	sliding_commit(&w->sliding, k);
}

static int wreduce_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct wreduce *w = (struct wreduce *)op;
	struct store_bytes kv[2] = { { key, key_n }, { value, n } };
	bool slides = key && key_n == 1;

	if (slides)
		w->mark = mark;
	if (!key)
		sliding_restored(&w->sliding);
	if (!key || !(slides ? slides_restore(&w->slides, kv) : sliding_restore(&w->sliding, kv, mark)))
		return 0;
	return err_set(e, ERR_IO, "stage %d: %s: an entry of the checkpoint that it did not write", op->stage, op->word);
}

static const struct op_class wreduce_class = {
	.name = "window_reduce",
	.leaves = true,
	.makes_fields = true,
	.counters = { "absorbed", "unfinished" },
	.process = wreduce_process,
	.on_batch_end = wreduce_batch_end,
	.free = wreduce_free,
	.memory = wreduce_memory,
	.unseen = wreduce_unseen,
	.holds = wreduce_holds,
	.answers_empty = wreduce_answers_empty,
	.slides = true,
	.wakes = wreduce_wakes,
	.commit = wreduce_commit,
	.restore = wreduce_restore,
};

struct op *op_window_reduce(struct run *run, int stage, const char *word, const struct reduce_spec *spec, const struct window_spec *w)
{
	struct wreduce *r = op_make(&wreduce_class, sizeof *r, run, stage, word);

	r->slides.spec = *w;
	r->op.stays = !spec->n_keys;
	reducer_init(&r->reducer, spec, &r->op);
	sliding_init(&r->sliding, &r->reducer);
	return &r->op;
}

/* ---- records of a window, for the stages that follow ---- */

struct stretch {
	int64_t time;
	uint64_t id;
	struct pieces kept;
};

/* In a checkpoint: the tag of pieces, behind which stand the stretch's time and id. */
#define TAG_ROWS 'r'

struct wbuffer {
	struct op op;
	struct slides slides;
	struct stretch *at; /* micro-batches in reach, oldest first */
	size_t n, cap;
	size_t n_away;      /* of them, from the oldest on: their rows are in their entries alone */
	bool open;
	uint64_t ids;
	uint32_t mark;      /* of the entry of slides */
	struct keep_gone gone;
	struct keytab back; /* being restored: ids of stretches that are there, numbered as they lie; slots NULL: not at work */
};

static int wbuffer_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct wbuffer *w = (struct wbuffer *)op;

	(void)port;
	if (!w->open) {
		w->at = xgrow(w->at, &w->cap, w->n + 1, sizeof *w->at);
		w->at[w->n++] = (struct stretch){ .id = ++w->ids };
		w->open = true;
	}
	w->at[w->n - 1].time = op->run->now;
	BATCH_EACH(b->sel, b->n_sel, i) rowstore_add(&w->at[w->n - 1].kept.rows, b, i, NULL, 0);
	slides_took(&w->slides, op, b->n_sel);
	return op_check_memory(op, w->n, e);
}

static int push_rowstore(struct op *op, const struct rowstore *s, struct err *e)
{
	size_t *order = xmalloc((s->n + 1) * sizeof *order);
	int verdict = 0;

	for (size_t i = 0; i < s->n; i++)
		order[i] = i;
	for (size_t from = 0; from < s->n && !verdict;) {
		struct batch b;

		from += rowstore_batch(s, order, from, s->n, &op->arena, &b);
		verdict = op_push(op, &b, e);
		arena_reset(&op->arena);
	}
	free(order);
	return verdict;
}

static void put_prefix(const struct stretch *s, struct buf *out)
{
	struct value time = v_time(s->time);

	out->n = 0;
	buf_char(out, TAG_ROWS);
	keep_value(out, &time);
	keep_number(out, s->id);
}

/* What is away a piece at a time. */
static int push_stretch(struct op *op, const struct stretch *s, struct err *e)
{
	struct buf prefix = { 0 };
	int verdict = 0;

	put_prefix(s, &prefix);
	for (uint32_t i = 0; i < s->kept.n && s->kept.at[i].first < s->kept.away && !verdict; i++) {
		struct rowstore rows = { 0 };

		verdict = pieces_fetch(&s->kept.at[i], &prefix, op, &rows, e);
		if (!verdict)
			verdict = push_rowstore(op, &rows, e);
		rowstore_release(&rows);
	}
	buf_release(&prefix);
	return verdict ? verdict : push_rowstore(op, &s->kept.rows, e);
}

/* Out of reach. */
static void forget(struct wbuffer *w, struct stretch *s)
{
	struct buf prefix = { 0 };

	put_prefix(s, &prefix);
	pieces_gone(&s->kept, &prefix, &w->gone);
	pieces_release(&s->kept);
	buf_release(&prefix);
}

static int wbuffer_batch_end(struct op *op, struct err *e)
{
	struct wbuffer *w = (struct wbuffer *)op;
	int64_t until = op->run->now - w->slides.spec.length_ns;
	size_t gone = 0;
	bool came = w->open, due;
	int verdict = 0;

	w->open = false;
	due = slide_due(&w->slides, op->run, came);
	slides_end(&w->slides, op);
	if (!due)
		return OP_HOLD;
	while (gone < w->n && w->at[gone].time <= until)
		forget(w, &w->at[gone++]);
	w->n -= gone;
	w->n_away -= gone < w->n_away ? gone : w->n_away;
	if (gone)
		memmove(w->at, w->at + gone, w->n * sizeof *w->at);
	for (size_t i = 0; i < w->n && !verdict; i++)
		verdict = push_stretch(op, &w->at[i], e);
	return verdict;
}

static bool wbuffer_holds(const struct op *op)
{
	return ((const struct wbuffer *)op)->n;
}

static int64_t wbuffer_wakes(struct op *op)
{
	const struct wbuffer *w = (const struct wbuffer *)op;
	int64_t from = unseen_from(&w->slides, op->run), at = INT64_MAX;

	for (size_t i = w->n; i && w->at[i - 1].time >= from; i--)
		at = w->at[i - 1].time;
	return slides_wake(&w->slides, op->run, at);
}

static void wbuffer_free(struct op *op)
{
	struct wbuffer *w = (struct wbuffer *)op;

	for (size_t i = 0; i < w->n; i++)
		pieces_release(&w->at[i].kept);
	free(w->at);
	keytab_release(&w->back);
	keep_gone_release(&w->gone);
}

static size_t wbuffer_memory(const struct op *op)
{
	const struct wbuffer *w = (const struct wbuffer *)op;
	size_t n = w->cap * sizeof *w->at;

	for (size_t i = 0; i < w->n; i++)
		n += rowstore_memory(&w->at[i].kept.rows) + w->at[i].kept.cap * sizeof *w->at[i].kept.at;
	return n;
}

/* Rows may be in their entries alone. */
static bool rests(const struct wbuffer *w) { return w->op.run->mem_max && w->op.run->fetch; }

/* Behind a commit the oldest rows leave memory, until 3/8 of --mem stay. */
static void wbuffer_leave(struct wbuffer *w)
{
	size_t held = rests(w) ? wbuffer_memory(&w->op) : 0;

	for (; w->n_away < w->n && held > w->op.run->mem_max / 8 * 3; w->n_away++) {
		held -= rowstore_memory(&w->at[w->n_away].kept.rows);
		pieces_leave(&w->at[w->n_away].kept);
	}
}

static void wbuffer_commit(struct op *op, struct keeper *to)
{
	struct wbuffer *w = (struct wbuffer *)op;
	struct keep k = { .to = to };
	struct buf prefix = { 0 };

	keep_gone_commit(&w->gone, to);
	slides_commit(&w->slides, to, &w->mark);
	for (size_t i = w->n; i-- > w->n_away && w->at[i].kept.committed < w->at[i].kept.rows.n;) {
		put_prefix(&w->at[i], &prefix);
		pieces_commit(&w->at[i].kept, &k, &prefix);
	}
	buf_release(&prefix);
	keep_release(&k);
	wbuffer_leave(w);
}

static struct stretch *stretch_of(struct wbuffer *w, uint64_t id)
{
	struct key_bytes key = { .p = (const char *)&id, .n = sizeof id };
	uint32_t at;

	if (!w->back.slots)
		keytab_init(&w->back);
	keytab_put(&w->back, &key, 1, &at);
	if (at < w->n)
		return &w->at[at];
	w->at = xgrow(w->at, &w->cap, w->n + 1, sizeof *w->at);
	w->at[w->n] = (struct stretch){ .id = id };
	w->ids = id > w->ids ? id : w->ids;
	return &w->at[w->n++];
}

static int restore_piece(struct wbuffer *w, struct bytes_in key, struct bytes_in value, uint32_t mark)
{
	int64_t time = keep_get_time(&key);
	uint64_t id = keep_get_number(&key);
	struct stretch *s;

	if (key.bad || !id)
		return -1;
	s = stretch_of(w, id);
	s->time = time;
	return rests(w) ? pieces_note(&s->kept, &key, &value, mark) : pieces_load(&s->kept, &key, &value, mark);
}

static int by_id(const void *x, const void *y)
{
	uint64_t a = ((const struct stretch *)x)->id, b = ((const struct stretch *)y)->id;

	return a < b ? -1 : a > b;
}

static int wbuffer_restored(struct wbuffer *w)
{
	keytab_release(&w->back);
	if (w->n)
		qsort(w->at, w->n, sizeof *w->at, by_id);
	for (size_t i = 0; i < w->n; i++)
		if (rests(w) ? pieces_noted(&w->at[i].kept) : pieces_loaded(&w->at[i].kept))
			return -1;
	w->n_away = rests(w) ? w->n : 0;
	return 0;
}

static int wbuffer_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct wbuffer *w = (struct wbuffer *)op;
	struct store_bytes kv[2] = { { key, key_n }, { value, n } };
	int r;

	if (key && key_n == 1) {
		r = slides_restore(&w->slides, kv);
		w->mark = mark;
	} else {
		r = key ? restore_piece(w, keep_open(key, key_n, TAG_ROWS), keep_open(value, n, PIECES_VERSION), mark) : wbuffer_restored(w);
	}
	return r ? keep_refuse(op, e) : 0;
}

static const struct op_class wbuffer_class = {
	.name = "window_buffer",
	.leaves = true,
	.counters = { "kept", "unfinished" },
	.process = wbuffer_process,
	.on_batch_end = wbuffer_batch_end,
	.free = wbuffer_free,
	.memory = wbuffer_memory,
	.holds = wbuffer_holds,
	.slides = true,
	.wakes = wbuffer_wakes,
	.commit = wbuffer_commit,
	.restore = wbuffer_restore,
};

struct op *op_window_buffer(struct run *run, int stage, const char *word, const struct window_spec *spec)
{
	struct wbuffer *w = op_make(&wbuffer_class, sizeof *w, run, stage, word);

	w->slides.spec = *spec;
	return &w->op;
}
