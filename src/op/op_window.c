#include "op/op_window.h"

#include <stdlib.h>

#include "data/rowstore.h"

/* ---- slides ---- */

struct slides {
	struct window_spec spec;
	int64_t last; /* number of the slide emitted last; without a slide its time */
	bool any;
};

/* Is a window due at the end of this micro-batch? Without a slide one is, unless nothing came and the clock stood. */
static bool slide_due(struct slides *s, const struct run *run, bool came)
{
	int64_t k = s->spec.slide_ns ? (run->now - run->start) / s->spec.slide_ns : run->now;

	if (s->spec.slide_ns ? (s->any ? k <= s->last : k < 1) : s->any && !came && k == s->last)
		return false;
	s->last = k;
	s->any = true;
	return true;
}

static void set_window(struct run *run, const struct window_spec *w)
{
	run->special[SP_WINDOW_START] = v_time(run->now - w->length_ns);
	run->special[SP_WINDOW_END] = v_time(run->now);
}

/* ---- reduce over windows ---- */

struct pane {
	int64_t time;
	struct aggtable table;
};

struct panes {
	struct pane *at; /* a ring of cap entries */
	size_t from, n, cap;
};

static struct pane *pane_at(const struct panes *p, size_t i)
{
	return &p->at[(p->from + i) % p->cap];
}

static struct pane *pane_add(struct panes *p)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 8;
		struct pane *at = xcalloc(cap, sizeof *at);

		for (size_t i = 0; i < p->n; i++)
			at[i] = *pane_at(p, i);
		free(p->at);
		*p = (struct panes){ .at = at, .n = p->n, .cap = cap };
	}
	return pane_at(p, p->n++);
}

struct wreduce {
	struct op op;
	struct reducer reducer;
	struct slides slides;
	bool inverse;
	struct panes panes;     /* inverse: all in reach; else the newer side's */
	struct panes older;     /* not inverse: the older side, the oldest last; table i merges it and all that are newer there */
	struct aggtable total;  /* inverse: all in reach; else the newer side together */
	uint64_t *born;         /* inverse: per group of total when it last came to life, 0: dead */
	size_t born_cap;
	uint32_t n_born, n_dead;
	uint64_t births;
	bool reborn;            /* births are not in group order */
	bool open;              /* the newest pane is this micro-batch's */
};

/* Group numbers of rows -> births. */
static void note_births(struct wreduce *w, const uint32_t *group, uint32_t n)
{
	uint32_t groups = aggtable_n(&w->total, &w->reducer);

	w->born = xgrow(w->born, &w->born_cap, groups, sizeof *w->born);
	if (groups > w->n_born) {
		memset(w->born + w->n_born, 0, (groups - w->n_born) * sizeof *w->born);
		w->n_dead += groups - w->n_born;
		w->n_born = groups;
	}
	for (uint32_t k = 0; k < n; k++) {
		uint32_t g = group ? group[k] : 0;

		if (w->born[g])
			continue;
		w->born[g] = ++w->births;
		w->n_dead--;
		w->reborn |= w->births != (uint64_t)g + 1;
	}
}

static int wreduce_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct wreduce *w = (struct wreduce *)op;
	struct pane *pane;
	uint32_t *group;

	(void)port;
	if (!w->open) {
		pane = pane_add(&w->panes);
		aggtable_init(&pane->table, &w->reducer);
		w->open = true;
	}
	pane = pane_at(&w->panes, w->panes.n - 1);
	pane->time = op->run->now;
	aggtable_update(&pane->table, &w->reducer, b, NULL);
	aggtable_update(&w->total, &w->reducer, b, &group);
	if (w->inverse)
		note_births(w, group, b->n_sel);
	op->count[0] += b->n_sel;
	return op_check_memory(op, aggtable_n(&w->total, &w->reducer), e);
}

static uint64_t hits_of(const struct wreduce *w, uint32_t group)
{
	const struct reduce_call *c = &w->reducer.spec.calls[w->reducer.spec.hits];
	struct arena tmp = { 0 };
	struct value v;

	((struct agg_call *)(uintptr_t)&c->call)->def->finish((struct agg_call *)(uintptr_t)&c->call,
								w->total.states[w->reducer.spec.hits].p + (size_t)group * c->call.state_size, &tmp, &v);
	arena_release(&tmp);
	return (uint64_t)v.i;
}

/* Inverse: panes out of reach leave the running table. */
static void evict_inverse(struct wreduce *w, int64_t until)
{
	while (w->panes.n && pane_at(&w->panes, 0)->time <= until) {
		struct pane *p = pane_at(&w->panes, 0);
		uint32_t n = aggtable_n(&p->table, &w->reducer), *map = xmalloc((n + 1) * sizeof *map);

		aggtable_retract(&w->total, &p->table, &w->reducer, map);
		for (uint32_t i = 0; i < n; i++) {
			if (!w->born[map[i]] || hits_of(w, map[i]))
				continue;
			w->born[map[i]] = 0;
			w->n_dead++;
		}
		free(map);
		aggtable_release(&p->table, &w->reducer);
		w->panes.from = (w->panes.from + 1) % w->panes.cap;
		w->panes.n--;
	}
}

/* The newer panes become the older side: suffix merges from the newest back. */
static void turn_over(struct wreduce *w)
{
	for (size_t i = w->panes.n; i-- > 0;) {
		struct pane *from = pane_at(&w->panes, i), *to = pane_add(&w->older);
		struct aggtable copy;

		*to = *from;
		if (w->older.n < 2)
			continue;
		aggtable_init(&copy, &w->reducer);
		aggtable_copy(&copy, &pane_at(&w->older, w->older.n - 2)->table, &w->reducer);
		aggtable_merge(&to->table, &copy, &w->reducer, NULL);
		aggtable_release(&copy, &w->reducer);
	}
	w->panes.n = w->panes.from = 0;
	aggtable_clear(&w->total, &w->reducer);
}

static void evict_stacks(struct wreduce *w, int64_t until)
{
	for (;;) {
		struct pane *p;

		if (!w->older.n) {
			if (!w->panes.n || pane_at(&w->panes, 0)->time > until)
				return;
			turn_over(w);
		}
		p = pane_at(&w->older, w->older.n - 1);
		if (p->time > until)
			return;
		aggtable_release(&p->table, &w->reducer);
		w->older.n--;
	}
}

struct birth {
	uint64_t at;
	uint32_t group;
};

static int birth_cmp(const void *a, const void *b)
{
	uint64_t x = ((const struct birth *)a)->at, y = ((const struct birth *)b)->at;

	return x < y ? -1 : x > y;
}

/* Keys without a record in the window are filtered out; the others in the order they came to life. */
static int push_live(struct wreduce *w, struct err *e)
{
	struct birth *b = xmalloc((w->n_born + 1) * sizeof *b);
	uint32_t *list = xmalloc((w->n_born + 1) * sizeof *list), n = 0;
	int verdict;

	for (uint32_t g = 0; g < w->n_born; g++)
		if (w->born[g])
			b[n++] = (struct birth){ w->born[g], g };
	if (w->reborn)
		qsort(b, n, sizeof *b, birth_cmp);
	for (uint32_t k = 0; k < n; k++)
		list[k] = b[k].group;
	verdict = aggtable_push_list(&w->total, &w->reducer, list, n, e);
	free(b);
	free(list);
	return verdict;
}

/* Dead keys worth making the table anew for. */
#define DEAD_MIN 1024

/* A table of the living only, from the panes in reach. */
static void compact(struct wreduce *w)
{
	struct aggtable fresh;

	if (w->n_dead < DEAD_MIN || w->n_dead < w->n_born / 2)
		return;
	aggtable_init(&fresh, &w->reducer);
	for (size_t i = 0; i < w->panes.n; i++) {
		struct aggtable copy;

		aggtable_init(&copy, &w->reducer);
		aggtable_copy(&copy, &pane_at(&w->panes, i)->table, &w->reducer);
		aggtable_merge(&fresh, &copy, &w->reducer, NULL);
		aggtable_release(&copy, &w->reducer);
	}
	aggtable_release(&w->total, &w->reducer);
	w->total = fresh;
	w->n_born = aggtable_n(&fresh, &w->reducer);
	w->born = xgrow(w->born, &w->born_cap, w->n_born, sizeof *w->born);
	for (uint32_t g = 0; g < w->n_born; g++)
		w->born[g] = g + 1;
	w->births = w->n_born;
	w->n_dead = 0;
	w->reborn = false;
}

static int push_stacks(struct wreduce *w, struct err *e)
{
	struct aggtable out, newer;
	int verdict;

	if (!w->older.n)
		return aggtable_push_all(&w->total, &w->reducer, e);
	aggtable_init(&out, &w->reducer);
	aggtable_init(&newer, &w->reducer);
	aggtable_copy(&out, &pane_at(&w->older, w->older.n - 1)->table, &w->reducer);
	aggtable_copy(&newer, &w->total, &w->reducer);
	aggtable_merge(&out, &newer, &w->reducer, NULL);
	verdict = aggtable_push_all(&out, &w->reducer, e);
	aggtable_release(&out, &w->reducer);
	aggtable_release(&newer, &w->reducer);
	return verdict;
}

static int wreduce_batch_end(struct op *op, struct err *e)
{
	struct wreduce *w = (struct wreduce *)op;
	int64_t until = op->run->now - w->slides.spec.length_ns;
	bool keyless = !w->reducer.spec.n_keys, empty, came = w->open;
	int verdict = 0;

	w->open = false;
	if (!slide_due(&w->slides, op->run, came))
		return OP_HOLD;
	if (w->inverse)
		evict_inverse(w, until);
	else
		evict_stacks(w, until);
	empty = !w->panes.n && !w->older.n;
	set_window(op->run, &w->slides.spec);
	if (keyless && empty)
		verdict = w->reducer.spec.count_zero ? aggtable_push_all(&w->total, &w->reducer, e) : 0;
	else if (!empty)
		verdict = w->inverse && !keyless ? push_live(w, e) : w->inverse ? aggtable_push_all(&w->total, &w->reducer, e) : push_stacks(w, e);
	arena_reset(&op->arena);
	reducer_collect_failures(&w->reducer);
	if (w->inverse)
		compact(w);
	return verdict;
}

static bool wreduce_answers_empty(const struct op *op)
{
	return ((const struct wreduce *)op)->reducer.spec.count_zero;
}

static bool wreduce_holds(const struct op *op)
{
	const struct wreduce *w = (const struct wreduce *)op;

	return w->panes.n || w->older.n;
}

static void panes_release(struct panes *p, struct reducer *r)
{
	for (size_t i = 0; i < p->n; i++)
		aggtable_release(&pane_at(p, i)->table, r);
	free(p->at);
}

static void wreduce_free(struct op *op)
{
	struct wreduce *w = (struct wreduce *)op;

	panes_release(&w->panes, &w->reducer);
	panes_release(&w->older, &w->reducer);
	aggtable_release(&w->total, &w->reducer);
	free(w->born);
	reducer_release(&w->reducer);
}

static size_t wreduce_memory(const struct op *op)
{
	const struct wreduce *w = (const struct wreduce *)op;
	size_t n = aggtable_memory(&w->total, &w->reducer) + w->born_cap * sizeof *w->born;

	for (size_t i = 0; i < w->panes.n; i++)
		n += aggtable_memory(&pane_at(&w->panes, i)->table, &w->reducer);
	for (size_t i = 0; i < w->older.n; i++)
		n += aggtable_memory(&pane_at(&w->older, i)->table, &w->reducer);
	for (uint32_t i = 0; i < w->reducer.spec.n_calls; i++)
		n += w->reducer.spec.calls[i].call.heap_bytes;
	return n;
}

static void wreduce_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	reducer_unseen(&((const struct wreduce *)op)->reducer, fn, ctx);
}

static const struct op_class wreduce_class = {
	.name = "window_reduce",
	.makes_fields = true,
	.counters = { "absorbed" },
	.process = wreduce_process,
	.on_batch_end = wreduce_batch_end,
	.free = wreduce_free,
	.memory = wreduce_memory,
	.unseen = wreduce_unseen,
	.holds = wreduce_holds,
	.answers_empty = wreduce_answers_empty,
};

struct op *op_window_reduce(struct run *run, int stage, const char *word, const struct reduce_spec *spec, const struct window_spec *w)
{
	struct wreduce *r = op_make(&wreduce_class, sizeof *r, run, stage, word);

	r->slides.spec = *w;
	reducer_init(&r->reducer, spec, &r->op);
	r->inverse = reducer_retracts(&r->reducer);
	aggtable_init(&r->total, &r->reducer);
	return &r->op;
}

/* ---- records of a window, for the stages that follow ---- */

struct stretch {
	int64_t time;
	struct rowstore rows;
};

struct wbuffer {
	struct op op;
	struct slides slides;
	struct stretch *at; /* micro-batches in reach, oldest first */
	size_t n, cap;
	bool open;
};

static int wbuffer_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct wbuffer *w = (struct wbuffer *)op;

	(void)port;
	if (!w->open) {
		w->at = xgrow(w->at, &w->cap, w->n + 1, sizeof *w->at);
		w->at[w->n++] = (struct stretch){ .time = op->run->now };
		w->open = true;
	}
	w->at[w->n - 1].time = op->run->now;
	BATCH_EACH(b->sel, b->n_sel, i) rowstore_add(&w->at[w->n - 1].rows, b, i, NULL, 0);
	op->count[0] += b->n_sel;
	return op_check_memory(op, w->n, e);
}

static int push_stretch(struct op *op, const struct rowstore *s, struct err *e)
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

static int wbuffer_batch_end(struct op *op, struct err *e)
{
	struct wbuffer *w = (struct wbuffer *)op;
	int64_t until = op->run->now - w->slides.spec.length_ns;
	size_t gone = 0;
	bool came = w->open;
	int verdict = 0;

	w->open = false;
	if (!slide_due(&w->slides, op->run, came))
		return OP_HOLD;
	while (gone < w->n && w->at[gone].time <= until)
		rowstore_release(&w->at[gone++].rows);
	w->n -= gone;
	memmove(w->at, w->at + gone, w->n * sizeof *w->at);
	set_window(op->run, &w->slides.spec);
	for (size_t i = 0; i < w->n && !verdict; i++)
		verdict = push_stretch(op, &w->at[i].rows, e);
	return verdict;
}

static bool wbuffer_holds(const struct op *op)
{
	return ((const struct wbuffer *)op)->n;
}

static void wbuffer_free(struct op *op)
{
	struct wbuffer *w = (struct wbuffer *)op;

	for (size_t i = 0; i < w->n; i++)
		rowstore_release(&w->at[i].rows);
	free(w->at);
}

static size_t wbuffer_memory(const struct op *op)
{
	const struct wbuffer *w = (const struct wbuffer *)op;
	size_t n = w->cap * sizeof *w->at;

	for (size_t i = 0; i < w->n; i++)
		n += rowstore_memory(&w->at[i].rows);
	return n;
}

static const struct op_class wbuffer_class = {
	.name = "window_buffer",
	.counters = { "kept" },
	.process = wbuffer_process,
	.on_batch_end = wbuffer_batch_end,
	.free = wbuffer_free,
	.memory = wbuffer_memory,
	.holds = wbuffer_holds,
};

struct op *op_window_buffer(struct run *run, int stage, const char *word, const struct window_spec *spec)
{
	struct wbuffer *w = op_make(&wbuffer_class, sizeof *w, run, stage, word);

	w->slides.spec = *spec;
	return &w->op;
}
