#include "op/op_slices.h"

#include "op/sliding.h"

enum fate { ABSORBED, LATE, NO_TIME, DROPPED };

/* ---- slices and windows by number ----
 * Slice s is [offset + s * width, ... + width), window j the slices [j * step, j * step + length). */

struct shape {
	int64_t width;        /* ns */
	int64_t step, length; /* slices */
	int64_t offset;
	int64_t first, last;  /* windows within the range of time */
};

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

static int64_t floor_div(__int128 a, int64_t b)
{
	int64_t near = (int64_t)a;

	if (near == a) /* the usual, which the processor divides at once */
		return near / b - (near % b < 0);
	return (int64_t)(a / b - (a % b < 0));
}

static void shape_init(struct shape *h, const struct window *w)
{
	int64_t width = gcd(w->length_ns, w->slide_ns);

	*h = (struct shape){ .width = width, .step = w->slide_ns / width, .length = w->length_ns / width, .offset = w->offset_ns };
	h->first = -floor_div((__int128)w->offset_ns - INT64_MIN, w->slide_ns);
	h->last = floor_div((__int128)INT64_MAX - w->length_ns - w->offset_ns, w->slide_ns);
}

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* The windows that have a slice: from the first on that the range of time allows, to the last one. */
static int64_t first_window(const struct shape *h, int64_t slice)
{
	return most(floor_div((__int128)slice - h->length, h->step) + 1, h->first);
}

static int64_t last_window(const struct shape *h, int64_t slice)
{
	return least(floor_div(slice, h->step), h->last);
}

static int64_t window_start(const struct shape *h, int64_t window)
{
	return (int64_t)(h->offset + (__int128)window * h->step * h->width);
}

static int64_t window_end(const struct shape *h, int64_t window)
{
	return window_start(h, window) + h->length * h->width;
}

/* The first window that a watermark leaves open. */
static int64_t first_open(const struct shape *h, int64_t watermark)
{
	__int128 past = (__int128)watermark - h->offset - (__int128)h->length * h->width;

	return watermark == WATERMARK_NONE ? h->first : least(most(floor_div(past, h->step * h->width) + 1, h->first), h->last + 1);
}

/* ---- the operator ---- */

/* Rows of windows that have few each, on their way out together. */
struct outgoing {
	const struct groups *groups; /* of the keys */
	uint32_t *key, *slot;
	int64_t *start, *end;
	uint32_t n, cap;
};

struct slices {
	struct op op;
	struct reducer reducer;
	struct assign_spec assign;
	struct shape shape;
	struct sliding sliding;
	int64_t open; /* the first window that has not closed */
};

/* ---- records in ---- */

/* Where a row goes, and those of its slice. */
struct place {
	int64_t start, end; /* times of the slice */
	enum fate fate;
	uint32_t slice;
	int64_t last_end;
};

static void turn_to(struct slices *p, struct place *at, int64_t t)
{
	const struct shape *h = &p->shape;
	int64_t slice = floor_div((__int128)t - h->offset, h->width), last = last_window(h, slice);
	__int128 start = h->offset + (__int128)slice * h->width, end = start + h->width;

	at->start = start < INT64_MIN ? INT64_MIN : (int64_t)start;
	at->end = end > INT64_MAX ? INT64_MAX : (int64_t)end;
	at->fate = DROPPED;
	if (first_window(h, slice) > last)
		return;
	at->last_end = window_end(h, last);
	at->fate = at->last_end <= p->op.watermark ? LATE : ABSORBED;
	if (at->fate == ABSORBED)
		at->slice = sliding_slice(&p->sliding, slice);
}

static int put_rows(struct slices *p, struct sliding_intake *in, const struct assigner *a, struct err *e)
{
	const struct run *run = p->op.run;
	struct place at = { .start = INT64_MAX, .end = INT64_MIN };

	for (uint32_t k = 0; k < in->b->n_sel; k++) {
		uint32_t row = batch_row(in->b, k);
		int64_t t;

		if (!row_time(&a->times, row, &t)) {
			p->op.count[NO_TIME]++;
			continue;
		}
		if (t < at.start || t >= at.end)
			turn_to(p, &at, t);
		p->op.count[at.fate]++;
		if (at.fate == ABSORBED)
			sliding_row(&p->sliding, in, k, at.slice);
		else if (at.fate == LATE && run->late && run->late(run->late_ctx, &p->op, in->b, row, at.last_end, p->op.watermark - at.last_end, e))
			return -1;
	}
	return 0;
}

static int slices_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct slices *p = (struct slices *)op;
	struct sliding_intake in;
	struct assigner a;
	int r;

	(void)port;
	p->open = most(p->open, first_open(&p->shape, op->watermark));
	assigner_start(&a, &p->assign, &op->eval, b);
	if (sliding_begin(&p->sliding, &in, b, e))
		return -1;
	r = put_rows(p, &in, &a, e);
	sliding_end(&p->sliding, &in);
	return r ? r : sliding_check_memory(&p->sliding, e);
}

/* ---- windows out ---- */

static void outgoing_init(struct outgoing *o, const struct groups *groups, struct arena *a)
{
	*o = (struct outgoing){ .groups = groups, .cap = batch_rows() };
	o->key = arena_array(a, uint32_t, o->cap);
	o->slot = arena_array(a, uint32_t, o->cap);
	o->start = arena_array(a, int64_t, o->cap);
	o->end = arena_array(a, int64_t, o->cap);
}

static const struct column *hidden_const(struct arena *a, struct value v)
{
	struct column *c = arena_array(a, struct column, 1);

	*c = column_const(a, &v);
	return c;
}

/* A window comes out once, when its end has come, so its pane is the first, on time, and the last. */
static void hide(const struct outgoing *o, const struct column bounds[2], struct batch *b)
{
	struct column *event = arena_array(b->arena, struct column, 1);

	*event = column_make(b->arena, T_TIME, o->n);
	for (uint32_t k = 0; k < o->n; k++)
		event->i[k] = o->end[k] - 1;
	b->hidden[HIDDEN_EVENT] = event;
	b->hidden[HIDDEN_WINDOW_START] = &bounds[0];
	b->hidden[HIDDEN_WINDOW_END] = &bounds[1];
	b->hidden[HIDDEN_PANE] = hidden_const(b->arena, v_int(0));
	b->hidden[HIDDEN_PANE_ON_TIME] = hidden_const(b->arena, v_int(0));
	b->hidden[HIDDEN_TIMING] = hidden_const(b->arena, v_str("on_time", 7));
	b->hidden[HIDDEN_FINAL] = hidden_const(b->arena, v_bool(true));
}

static int push(struct slices *p, struct outgoing *o, struct err *e)
{
	struct column bounds[2] = { { .i = o->start, .type = T_TIME }, { .i = o->end, .type = T_TIME } };
	struct reduce_rows rows = { .groups = o->groups, .states = p->sliding.states, .key_list = o->key, .state_list = o->slot, .n = o->n,
				    .start = &bounds[0], .end = &bounds[1] };
	struct batch b;
	int verdict;

	if (!o->n)
		return 0;
	reducer_batch(&p->reducer, &rows, &b);
	hide(o, bounds, &b);
	verdict = op_push(&p->op, &b, e);
	if (o->groups == &p->sliding.groups)
		sliding_done(&p->sliding); /* else the view's */
	arena_reset(&p->op.arena);
	outgoing_init(o, o->groups, &p->op.arena);
	return verdict;
}

/* Windows with fewer keys than this share batches, as copies of their states. */
#define SHARING_KEYS_MAX 16

static void add_rows(const struct slices *p, struct outgoing *o, const uint32_t *keys, uint32_t n, int64_t window)
{
	memcpy(o->key + o->n, keys, n * sizeof *keys);
	for (uint32_t k = o->n; k < o->n + n; k++) {
		o->start[k] = window_start(&p->shape, window);
		o->end[k] = window_end(&p->shape, window);
	}
	o->n += n;
}

static int push_window(struct slices *p, struct outgoing *o, int64_t window, struct err *e)
{
	uint32_t n, some;
	const uint32_t *keys = sliding_keys(&p->sliding, &n);
	bool shares = n < SHARING_KEYS_MAX;
	int verdict = shares ? 0 : push(p, o, e);

	for (uint32_t from = 0; from < n && verdict >= 0; from += some) {
		some = n - from < o->cap - o->n ? n - from : o->cap - o->n;
		if (shares)
			sliding_copies(&p->sliding, keys + from, some, o->slot + o->n);
		else
			sliding_states(&p->sliding, keys + from, some, o->slot + o->n);
		add_rows(p, o, keys + from, some, window);
		if (!shares || o->n == o->cap)
			verdict = push(p, o, e);
	}
	return verdict;
}

static int64_t first_slice(const struct shape *h, int64_t window) { return window * h->step; }

static int push_rows(struct slices *p, struct outgoing *o, const struct sliding_view *v, int64_t window, struct err *e)
{
	int verdict = 0;

	for (uint32_t from = 0, n; from < v->n && verdict >= 0; from += n) {
		n = v->n - from < o->cap ? v->n - from : o->cap;
		memcpy(o->slot, v->slots + from, n * sizeof *v->slots);
		add_rows(p, o, v->keys + from, n, window);
		verdict = push(p, o, e);
	}
	return verdict;
}

/* With keys that are away. */
static int push_view(struct slices *p, struct outgoing *o, int64_t window, struct err *e)
{
	int64_t from = first_slice(&p->shape, window);
	struct sliding_view v;
	int verdict = push(p, o, e), more = 1;

	if (verdict < 0)
		return verdict;
	sliding_view_begin(&p->sliding, &v, from, from + p->shape.length);
	o->groups = &v.groups;
	while (verdict >= 0 && (more = sliding_view_next(&v, e)) > 0)
		verdict = push_rows(p, o, &v, window, e);
	o->groups = &p->sliding.groups;
	sliding_view_end(&v);
	return more < 0 ? -1 : verdict;
}

/* The first window that has records and has not closed. */
static bool next_window(const struct slices *p, int64_t *window)
{
	int64_t slice;

	*window = p->open;
	if (sliding_any(&p->sliding))
		return true;
	if (!sliding_waiting(&p->sliding, &slice))
		return false;
	*window = most(first_window(&p->shape, slice), p->open);
	return true;
}

static int slices_batch_end(struct op *op, struct err *e)
{
	struct slices *p = (struct slices *)op;
	const struct shape *h = &p->shape;
	int64_t open = most(p->open, first_open(h, op->watermark)), window;
	struct outgoing o;
	int verdict = 0;

	outgoing_init(&o, &p->sliding.groups, &op->arena);
	if (sliding_sweep(&p->sliding, e))
		return -1;
	while (verdict >= 0 && next_window(p, &window) && window < open) {
		sliding_move(&p->sliding, first_slice(h, window), first_slice(h, window) + h->length);
		p->open = window + 1;
		verdict = p->sliding.away.n ? push_view(p, &o, window, e) : push_window(p, &o, window, e);
		sliding_leave(&p->sliding, first_slice(h, p->open));
	}
	if (verdict >= 0)
		verdict = push(p, &o, e);
	p->open = open;
	sliding_leave(&p->sliding, first_slice(h, open));
	sliding_compact(&p->sliding);
	arena_reset(&op->arena);
	reducer_collect_failures(&p->reducer);
	return verdict < 0 ? -1 : 0;
}

/* ---- the rest ---- */

static bool slices_holds(const struct op *op)
{
	return ((const struct slices *)op)->sliding.used_slices;
}

static void put_time(struct buf *out, int64_t t)
{
	buf_took(out, time_format(t, buf_room(out, TIME_MAX)));
}

/* As panes do: the window that ends first, and where the watermark stands. */
static void slices_waits(const struct op *op, struct buf *out)
{
	const struct slices *p = (const struct slices *)op;
	int64_t window;

	if (!next_window(p, &window))
		return;
	buf_str(out, "the window that ends ");
	put_time(out, window_end(&p->shape, window));
	buf_str(out, op->watermark == WATERMARK_NONE ? " waits for a watermark: there is none yet" : " waits for the watermark, which stands at ");
	if (op->watermark != WATERMARK_NONE)
		put_time(out, op->watermark);
}

static size_t slices_memory(const struct op *op)
{
	return sliding_memory(&((const struct slices *)op)->sliding);
}

static void slices_commit(struct op *op, struct keeper *k)
{
	sliding_commit(&((struct slices *)op)->sliding, k);
}

static int slices_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct slices *p = (struct slices *)op;
	struct store_bytes kv[2] = { { key, key_n }, { value, n } };

	if (!key) {
		p->open = most(p->open, first_open(&p->shape, op->watermark));
		sliding_restored(&p->sliding);
	}
	if (!key || !sliding_restore(&p->sliding, kv, mark))
		return 0;
	return err_set(e, ERR_IO, "stage %d: %s: an entry of the checkpoint that it did not write", op->stage, op->word);
}

static void slices_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct slices *p = (const struct slices *)op;

	reducer_unseen(&p->reducer, fn, ctx);
	if (p->assign.on_take)
		expr_unseen(p->assign.on_take, fn, ctx);
}

static void slices_free(struct op *op)
{
	struct slices *p = (struct slices *)op;

	sliding_release(&p->sliding);
	expr_release(p->assign.on_take);
	expr_release(p->assign.gap_take);
	reducer_release(&p->reducer);
}

static const struct op_class slices_class = {
	.name = "slices",
	.leaves = true,
	.makes_fields = true,
	.counters = { "absorbed", "late", "no-time", "dropped" },
	.process = slices_process,
	.on_batch_end = slices_batch_end,
	.free = slices_free,
	.memory = slices_memory,
	.holds = slices_holds,
	.waits = slices_waits,
	.commit = slices_commit,
	.restore = slices_restore,
	.unseen = slices_unseen,
};

static bool is_bare(const struct trigger_spec *t)
{
	bool bare = !t->root || (t->root->kind == TRIGGER_WATERMARK && !t->root->kids[0] && !t->root->kids[1]);

	return bare && !t->lateness_ns && t->stamp == STAMP_END && t->accumulation != PANES_RETRACTING;
}

bool op_slices_can(const struct reduce_spec *spec, const struct panes_spec *panes)
{
	const struct window *w = &panes->assign.window;

	if (w->kind != WINDOW_FIXED || w->slide_ns >= w->length_ns || gcd(w->length_ns, w->slide_ns) < 2)
		return false;
	if (panes->complete || panes->inherits || panes->merges || panes->order != PANES_BY_WINDOW || !is_bare(&panes->trigger))
		return false;
	for (uint32_t i = 0; i < spec->n_calls; i++) {
		const struct reduce_call *c = &spec->calls[i];
		bool inverse = c->call.def->retract && (!(c->call.def->flags & AGG_USER) || c->user[2]);

		if (c->call.def->flags & AGG_ORDERED && !inverse)
			return false;
	}
	return true;
}

struct op *op_slices(struct run *run, int stage, const char *word, const struct reduce_spec *spec, const struct assign_spec *assign)
{
	struct slices *p = op_make(&slices_class, sizeof *p, run, stage, word);

	p->assign = *assign;
	p->op.stays = !spec->n_keys;
	shape_init(&p->shape, &assign->window);
	p->open = p->shape.first;
	reducer_init(&p->reducer, spec, &p->op);
	sliding_init(&p->sliding, &p->reducer);
	return &p->op;
}
