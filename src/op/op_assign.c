#include "op/op_assign.h"

#include "op/event_time.h"

bool row_time(const struct column *c, uint32_t row, int64_t *t)
{
	if (!c || c->type != T_TIME || column_null(c, row))
		return false;
	*t = c->i[c->constant ? 0 : row];
	return true;
}

void assigner_start(struct assigner *a, const struct assign_spec *spec, struct eval *ev, const struct batch *b)
{
	struct column own = { .type = T_NULL };

	*a = (struct assigner){ .spec = spec, .b = b, .fails = ev->fails, .windows = arena_array(b->arena, struct interval, window_assign_max(&spec->window) + 1) };
	if (spec->on_take)
		own = expr_eval(spec->on_take, ev, b, b->sel, b->n_sel);
	else if (b->hidden[HIDDEN_EVENT])
		own = *b->hidden[HIDDEN_EVENT];
	a->times = own.type == T_NULL ? own : event_times(&own, b, ev->env, NULL);
	if (spec->gap_take)
		a->gaps = expr_eval(spec->gap_take, ev, b, b->sel, b->n_sel);
}

/* The gap of a row's session; 0: it has none. */
static int64_t gap_of(const struct assigner *a, uint32_t row)
{
	struct value v;
	int64_t ns;

	if (!a->spec->gap_take)
		return a->spec->window.gap_ns;
	v = column_get(&a->gaps, row);
	if (v.type == T_NULL)
		return 0;
	if (v.type == T_DUR)
		return v.i;
	if (type_is_bytes(v.type) && dur_parse(v.s, v.n, &ns, NULL))
		return ns;
	fails_add(a->fails, "the gap of a session", "not a duration, as 10s or seconds * 1s", &a->b->origin, row);
	return 0;
}

/* Sessions that would reach to the end of time are left out, as such windows are. */
static enum assigned session_of(struct assigner *a, uint32_t row, uint32_t *n, int64_t t)
{
	int64_t gap = gap_of(a, row);

	*n = gap > 0 && t < INT64_MAX - gap;
	if (!*n)
		return ASSIGN_NONE;
	a->windows[0] = (struct interval){ t, t + gap };
	return ASSIGN_OK;
}

enum assigned assigner_row(struct assigner *a, uint32_t row, uint32_t *n, int64_t *t)
{
	const struct window *w = &a->spec->window;
	bool timed = row_time(&a->times, row, t);

	if (w->kind == WINDOW_ALL) {
		if (!timed)
			*t = INT64_MIN;
		a->windows[0] = (struct interval){ INT64_MIN, INT64_MAX };
		*n = 1;
		return ASSIGN_OK;
	}
	*n = 0;
	if (!timed)
		return ASSIGN_NO_TIME;
	if (w->kind == WINDOW_SESSION)
		return session_of(a, row, n, *t);
	*n = window_assign(w, *t, a->windows);
	return *n ? ASSIGN_OK : ASSIGN_NONE;
}

/* ---- the operator ---- */

struct assign {
	struct op op;
	struct assign_spec spec;
};

/* Copies of rows on their way on. */
struct copies {
	uint32_t *rows, n, cap;
	int64_t *start, *end;
};

static void copies_init(struct copies *c, struct arena *a)
{
	c->n = 0;
	c->cap = batch_rows();
	c->rows = arena_array(a, uint32_t, c->cap);
	c->start = arena_array(a, int64_t, c->cap);
	c->end = arena_array(a, int64_t, c->cap);
}

static int push_copies(struct op *op, const struct batch *b, const struct column *event, struct copies *c, struct err *e)
{
	struct arena *a = &op->arena;
	struct batch in = *b, out = *b;
	struct column *cols = arena_array(a, struct column, b->schema->n + 1);
	struct column start = { .i = c->start, .type = T_TIME }, end = { .i = c->end, .type = T_TIME };
	struct value *raw = b->raw ? arena_array(a, struct value, c->n + 1) : NULL;
	uint32_t *line = arena_array(a, uint32_t, c->n + 1);

	if (!c->n)
		return 0;
	in.hidden[HIDDEN_EVENT] = event->type == T_TIME ? event : NULL;
	for (uint32_t k = 0; k < b->schema->n; k++)
		cols[k] = column_gather(a, &b->cols[k], c->rows, c->n);
	for (uint32_t k = 0; k < c->n; k++) {
		line[k] = b->origin.line ? b->origin.line[c->rows[k]] : c->rows[k];
		if (raw)
			raw[k] = b->raw[c->rows[k]];
	}
	out.arena = a;
	batch_gather_hidden(&out, &in, c->rows, c->n);
	out.hidden[HIDDEN_WINDOW_START] = &start;
	out.hidden[HIDDEN_WINDOW_END] = &end;
	out.cols = cols;
	out.raw = raw;
	out.origin.line = line;
	out.sel = NULL;
	out.n_rows = out.n_sel = c->n;
	return op_push(op, &out, e);
}

static int assign_row(struct op *op, const struct batch *b, struct assigner *a, struct copies *c, uint32_t row, struct err *e)
{
	uint32_t n;
	int64_t t;
	enum assigned how = assigner_row(a, row, &n, &t);
	int verdict = 0;

	op->count[how]++;
	for (uint32_t i = 0; i < n && !verdict; i++) {
		c->rows[c->n] = row;
		c->start[c->n] = a->windows[i].start;
		c->end[c->n++] = a->windows[i].end;
		if (c->n < c->cap)
			continue;
		verdict = push_copies(op, b, &a->times, c, e);
		arena_reset(&op->arena);
		copies_init(c, &op->arena);
	}
	return verdict;
}

/* The whole stream: rows go as they are. */
static int pass(struct op *op, const struct batch *b, struct err *e)
{
	op->count[ASSIGN_OK] += b->n_sel;
	return op_push(op, b, e);
}

static int assign_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct assign *s = (struct assign *)op;
	struct assigner a;
	struct copies c;
	int verdict = 0;

	(void)port;
	if (s->spec.window.kind == WINDOW_ALL)
		return pass(op, b, e);
	arena_reset(&op->arena);
	assigner_start(&a, &s->spec, &op->eval, b);
	copies_init(&c, &op->arena);
	for (uint32_t k = 0; k < b->n_sel && !verdict; k++) {
		verdict = assign_row(op, b, &a, &c, batch_row(b, k), e);
		if (verdict)
			op->unwanted += b->n_sel - k - 1;
	}
	return verdict ? verdict : push_copies(op, b, &a.times, &c, e);
}

static void assign_free(struct op *op)
{
	expr_release(((struct assign *)op)->spec.on_take);
	expr_release(((struct assign *)op)->spec.gap_take);
}

static void assign_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	if (((const struct assign *)op)->spec.on_take)
		expr_unseen(((const struct assign *)op)->spec.on_take, fn, ctx);
}

static const struct op_class assign_class = {
	.name = "assign",
	.counters = { "assigned", "no-time", "dropped" },
	.process = assign_process,
	.free = assign_free,
	.unseen = assign_unseen,
};

struct op *op_assign(struct run *run, int stage, const char *word, const struct assign_spec *spec)
{
	struct assign *s = op_make(&assign_class, sizeof *s, run, stage, word);

	s->spec = *spec;
	return &s->op;
}
