#include "op/op_watermark.h"

#include <stdlib.h>

#include "base/ints.h"
#include "op/event_time.h"
#include "op/keep.h"

/* What is known of one input. */
struct heard {
	int64_t max;   /* largest time seen, WATERMARK_NONE: none yet */
	int64_t last;  /* clock when it last had a record */
	bool spoken;
	uint32_t mark; /* of its entry */
	bool changed;  /* since the last commit */
};

struct watermark {
	struct op op;
	struct watermark_spec spec;
	struct heard *inputs; /* by number of the input */
	size_t cap;
	uint32_t n;
	int64_t marked;
	int64_t marked_was; /* as committed */
	uint32_t marked_mark;
	uint64_t unusable;
};

static struct heard *heard_of(struct watermark *w, uint32_t input)
{
	w->inputs = xgrow(w->inputs, &w->cap, (size_t)input + 1, sizeof *w->inputs);
	for (; w->n <= input; w->n++)
		w->inputs[w->n] = (struct heard){ .max = WATERMARK_NONE, .last = w->op.run->start };
	return &w->inputs[input];
}

/* All inputs that can reach the stage are known from the start, so that none is forgotten before it speaks. */
static void hear_all(struct watermark *w)
{
	if (w->op.run->n_inputs)
		heard_of(w, w->op.run->n_inputs - 1);
}

static void note_times(struct watermark *w, const struct batch *b, const struct column *t)
{
	struct heard *h = heard_of(w, b->input);
	int64_t max = h->max;

	if (!b->sel && !t->valid && !t->constant)
		max = ints_ops(simd_level())->max(t->i, b->n_sel, max);
	else
		BATCH_EACH(b->sel, b->n_sel, i)
	{
		int64_t at = t->i[t->constant ? 0 : i];

		if (at > max && !column_null(t, i))
			max = at;
	}
	h->max = max;
	h->spoken |= max != WATERMARK_NONE;
	h->last = w->op.run->now;
	h->changed = true;
}

static int watermark_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct watermark *w = (struct watermark *)op;
	struct batch out = *b;
	struct column own = expr_eval(w->spec.time_take, &op->eval, b, b->sel, b->n_sel), times;

	(void)port;
	times = event_times(&own, b, op->eval.env, &w->unusable);
	out.hidden[HIDDEN_EVENT] = &times;
	hear_all(w);
	if (!w->spec.by_marks && times.type == T_TIME)
		note_times(w, b, &times);
	op->count[0] += b->n_sel;
	return op_push(op, &out, e);
}

static enum input_state state_of(const struct watermark *w, uint32_t input)
{
	const struct run *run = w->op.run;

	return run->inputs && input < run->n_inputs ? run->inputs[input] : INPUT_OPEN;
}

static bool holds_back(const struct watermark *w, uint32_t input, bool any_busy)
{
	enum input_state state = state_of(w, input);
	bool idle = w->spec.idle_ns && state == INPUT_OPEN && w->op.run->now - w->inputs[input].last >= w->spec.idle_ns;

	return state != INPUT_ENDED && (!idle || !any_busy);
}

/* Is some input not idle? When all are, the watermark stays where it is. */
static bool some_busy(const struct watermark *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (w->op.inputs >> (i & 63) & 1 && holds_back(w, i, true))
			return true;
	return false;
}

/* A time so early that nothing lies before it by the delay still speaks. */
static int64_t behind(int64_t t, int64_t delay_ns)
{
	int64_t w;

	return __builtin_sub_overflow(t, delay_ns, &w) || w == WATERMARK_NONE ? WATERMARK_NONE + 1 : w;
}

static int64_t least(const struct watermark *w)
{
	bool busy = some_busy(w);
	int64_t all = WATERMARK_END;

	for (uint32_t i = 0; i < w->n; i++) {
		const struct heard *h = &w->inputs[i];
		int64_t own = h->spoken ? behind(h->max, w->spec.delay_ns) : WATERMARK_NONE;

		if (w->op.inputs >> (i & 63) & 1 && holds_back(w, i, busy) && own < all)
			all = own;
	}
	return all;
}

static void know_inputs(struct watermark *w)
{
	hear_all(w);
	for (uint32_t i = 0; i < w->n; i++)
		if (state_of(w, i) == INPUT_UNOPENED)
			w->inputs[i].last = w->op.run->now;
}

static int64_t by_marks(struct watermark *w)
{
	const struct run *run = w->op.run;

	for (uint32_t i = 0; i < run->n_marked; i++) {
		const struct marked_watermark *m = &run->marked[i];

		if ((!m->name || (w->spec.point && !strcmp(m->name, w->spec.point))) && m->at > w->marked)
			w->marked = m->at;
	}
	return w->marked;
}

static int watermark_batch_end(struct op *op, struct err *e)
{
	struct watermark *w = (struct watermark *)op;
	int64_t own;

	(void)e;
	if (op->watermark == WATERMARK_END)
		return 0;
	know_inputs(w);
	own = w->spec.by_marks ? by_marks(w) : least(w);
	op->idle = !w->spec.by_marks && own != WATERMARK_END && !some_busy(w);
	op->passes = own == WATERMARK_END && !w->spec.by_marks ? WATERMARK_NONE : own;
	return 0;
}

static void put_time(struct buf *out, int64_t t)
{
	buf_took(out, time_format(t, buf_room(out, TIME_MAX)));
}

/* Of several inputs, the one that holds the watermark back. */
static void watermark_waits(const struct op *op, struct buf *out)
{
	const struct watermark *w = (const struct watermark *)op;
	const struct heard *least = NULL;
	uint32_t at = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		const struct heard *h = &w->inputs[i];

		if (!(op->inputs >> (i & 63) & 1) || !holds_back(w, i, some_busy(w)) || (least && (!least->spoken || (h->spoken && h->max >= least->max))))
			continue;
		least = h;
		at = i;
	}
	if (!least || op->run->n_inputs < 2 || w->spec.by_marks)
		return;
	if (op->run->input_names)
		buf_printf(out, "input \"%s\"", op->run->input_names[at]);
	else
		buf_printf(out, "input %u", at + 1);
	buf_str(out, least->spoken ? " holds the watermark back: its latest time is " : " has said nothing yet, so there is no watermark");
	if (least->spoken)
		put_time(out, least->max);
}

static void watermark_free(struct op *op)
{
	struct watermark *w = (struct watermark *)op;

	expr_release(w->spec.time_take);
	free(w->inputs);
}

/* ---- what survives a restart: 'i' and the number of an input -> what was heard of it; 'm' -> what marks said ---- */

#define TAG_INPUT 'i'
#define TAG_MARKED 'm'
#define WATERMARK_VERSION 1

/* More inputs than that have never been. */
#define INPUTS_MAX (1u << 20)

static void watermark_commit(struct op *op, struct keeper *to)
{
	struct watermark *w = (struct watermark *)op;
	struct keep k = { .to = to };

	for (uint32_t i = 0; i < w->n; i++) {
		struct heard *h = &w->inputs[i];

		if (!h->changed)
			continue;
		keep_start(&k, TAG_INPUT, WATERMARK_VERSION);
		keep_number(&k.key, i);
		keep_int(&k.value, h->max);
		keep_int(&k.value, h->last);
		buf_char(&k.value, h->spoken);
		keep_put(&k, &h->mark);
		h->changed = false;
	}
	if (w->marked != w->marked_was) {
		keep_start(&k, TAG_MARKED, WATERMARK_VERSION);
		keep_int(&k.value, w->marked);
		keep_put(&k, &w->marked_mark);
		w->marked_was = w->marked;
	}
	keep_release(&k);
}

static void restore_heard(struct watermark *w, struct bytes_in *key, struct bytes_in *in, uint32_t mark)
{
	uint64_t input = keep_get_number(key);
	struct heard h = { .max = keep_get_int(in), .mark = mark };

	h.last = keep_get_int(in);
	h.spoken = get_le(in, 1);
	in->bad |= input >= INPUTS_MAX;
	if (!in->bad)
		*heard_of(w, (uint32_t)input) = h;
}

static int watermark_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct watermark *w = (struct watermark *)op;
	struct bytes_in in = keep_open(value, n, WATERMARK_VERSION), k = keep_open(key, key_n, key && key_n ? (uint8_t)*key : 0);

	if (!key)
		return 0;
	if (key_n && *key == TAG_INPUT) {
		restore_heard(w, &k, &in, mark);
	} else if (key_n && *key == TAG_MARKED) {
		w->marked = w->marked_was = keep_get_int(&in);
		w->marked_mark = mark;
	} else {
		in.bad = true;
	}
	return keep_over(&k) && keep_over(&in) ? 0 : keep_refuse(op, e);
}

static void watermark_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	expr_unseen(((const struct watermark *)op)->spec.time_take, fn, ctx);
}

static const struct op_class watermark_class = {
	.name = "watermark",
	.counters = { "timed" },
	.process = watermark_process,
	.on_batch_end = watermark_batch_end,
	.free = watermark_free,
	.unseen = watermark_unseen,
	.commit = watermark_commit,
	.restore = watermark_restore,
	.waits = watermark_waits,
};

struct op *op_watermark(struct run *run, int stage, const char *word, const struct watermark_spec *spec)
{
	struct watermark *w = op_make(&watermark_class, sizeof *w, run, stage, word);

	w->spec = *spec;
	w->marked = w->marked_was = WATERMARK_NONE;
	return &w->op;
}
