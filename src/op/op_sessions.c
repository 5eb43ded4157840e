#include <stdlib.h>

#include "op/op_assign.h"
#include "op/sessions_impl.h"

#define BUNCH_BYTES ((size_t)1 << 20) /* a bunch that is larger takes no more rows */

static void add_number(struct numbers *l, uint32_t x)
{
	l->at = xgrow(l->at, &l->cap, (size_t)l->n + 1, sizeof *l->at);
	l->at[l->n++] = x;
}

static struct key_sessions *reach_key(struct sessions *s, uint32_t key)
{
	s->of = xgrow(s->of, &s->of_cap, (size_t)key + 1, sizeof *s->of);
	for (; s->n_of <= key; s->n_of++, s->n_dead++)
		s->of[s->n_of] = (struct key_sessions){ 0 };
	return &s->of[key];
}

/* ---- sessions ---- */

/* The first session of the key that ends behind (with `closed`: at) the start of w. */
static uint32_t first_bridged(const struct sessions *s, const struct numbers *of, const struct interval *w)
{
	uint32_t lo = 0, hi = of->n;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		int64_t end = s->at[of->at[mid]].window.end;

		if (end < w->start || (end == w->start && !s->spec.closed))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t session_slot(struct sessions *s)
{
	if (s->unused.n)
		return s->unused.at[--s->unused.n];
	s->at = xgrow(s->at, &s->cap, (size_t)s->n + 1, sizeof *s->at);
	s->at[s->n] = (struct session){ 0 };
	return s->n++;
}

static uint32_t open_session(struct sessions *s, uint32_t key, uint32_t place, const struct interval *w)
{
	struct numbers *of = &s->of[key].list;
	uint32_t slot = session_slot(s);

	s->at[slot] = (struct session){ .window = *w, .key = key, .gen = s->at[slot].gen, .live = true, .first = UINT64_MAX };
	s->n_dead -= !of->n;
	add_number(of, slot);
	memmove(of->at + place + 1, of->at + place, (of->n - 1 - place) * sizeof *of->at);
	of->at[place] = slot;
	timers_add(&s->ends, w->end, slot, s->at[slot].gen);
	s->n_live++;
	return slot;
}

void sessions_free_slot(struct sessions *s, uint32_t slot)
{
	struct session *x = &s->at[slot];

	free(x->bunches.at);
	*x = (struct session){ .gen = x->gen + 1 };
	add_number(&s->unused, slot);
	s->n_live--;
}

static void widen(struct interval *w, const struct interval *by)
{
	w->start = by->start < w->start ? by->start : w->start;
	w->end = by->end > w->end ? by->end : w->end;
}

/* `from` becomes part of `into`. Bunches are in the order of their opening in either, so the last one stays the last. */
static void swallow(struct sessions *s, uint32_t into, uint32_t from)
{
	struct session *d = &s->at[into], *x = &s->at[from];

	for (uint32_t i = 0; i < x->bunches.n; i++) {
		s->bunches[x->bunches.at[i]].session = into;
		add_number(&d->bunches, x->bunches.at[i]);
	}
	d->first = x->first < d->first ? x->first : d->first;
	widen(&d->window, &x->window);
	sessions_free_slot(s, from);
}

/* The key's session that covers w: new, grown, or made of several. */
static uint32_t session_of(struct sessions *s, uint32_t key, const struct interval *w)
{
	struct numbers *of = &reach_key(s, key)->list;
	uint32_t first = first_bridged(s, of, w), n = 0;

	for (; first + n < of->n; n++) {
		const struct interval *at = &s->at[of->at[first + n]].window;

		if (at->start > w->end || (at->start == w->end && !s->spec.closed))
			break;
	}
	if (!n)
		return open_session(s, key, first, w);
	for (uint32_t i = 1; i < n; i++)
		swallow(s, of->at[first], of->at[first + i]);
	memmove(of->at + first + 1, of->at + first + n, (of->n - first - n) * sizeof *of->at);
	of->n -= n - 1;
	widen(&s->at[of->at[first]].window, w);
	return of->at[first];
}

/* ---- bunches ---- */

static uint32_t open_bunch(struct sessions *s, uint32_t session)
{
	uint32_t i = s->unused_bunches.n ? s->unused_bunches.at[--s->unused_bunches.n] : s->n_bunches++;

	s->bunches = xgrow(s->bunches, &s->bunches_cap, s->n_bunches, sizeof *s->bunches);
	s->bunches[i] = (struct bunch){ .rows.arena.small = true, .id = ++s->ids, .session = session, .open = true };
	add_number(&s->at[session].bunches, i);
	return i;
}

static void keep_row(struct sessions *s, uint32_t session, const struct batch *b, uint32_t row)
{
	struct session *x = &s->at[session];
	uint32_t i = x->bunches.n ? x->bunches.at[x->bunches.n - 1] : 0;
	struct value when = v_int((int64_t)++s->arrived);
	struct bunch *to;

	if (!x->bunches.n || !s->bunches[i].open || s->bunches[i].rows.live > BUNCH_BYTES)
		i = open_bunch(s, session);
	to = &s->bunches[i];
	x->first = s->arrived < x->first ? s->arrived : x->first;
	s->bytes -= rowstore_memory(&to->rows);
	rowstore_add(&to->rows, b, row, &when, 1);
	s->bytes += rowstore_memory(&to->rows);
	if (s->op.run->durable)
		keep_dirty_add(&s->dirty, i);
}

/* ---- rows in ---- */

static uint32_t *keys_of(struct sessions *s, const struct batch *b)
{
	uint32_t n = s->groups.n_keys, *group = arena_zero(b->arena, (b->n_sel + 1) * sizeof *group);
	struct column *cols = arena_array(b->arena, struct column, n + 1);
	const struct column **at = arena_array(b->arena, const struct column *, n + 1);

	if (!n)
		return group;
	for (uint32_t k = 0; k < s->spec.n_keys; k++)
		cols[k] = expr_eval(s->spec.keys_take[k], &s->op.eval, b, b->sel, b->n_sel);
	if (s->spec.by_record) {
		cols[0] = column_make(b->arena, T_OBJECT, b->n_rows);
		BATCH_EACH(b->sel, b->n_sel, i) cols[0].v[i] = batch_record(b, i, b->arena);
	}
	for (uint32_t k = 0; k < n; k++)
		at[k] = &cols[k];
	groups_put(&s->groups, b->arena, at, b->sel, b->n_sel, group);
	return group;
}

static int hold_row(struct sessions *s, const struct batch *b, uint32_t row, uint32_t key, struct err *e)
{
	struct run *run = s->op.run;
	struct interval w;

	if (!row_time(b->hidden[HIDDEN_WINDOW_START], row, &w.start) || !row_time(b->hidden[HIDDEN_WINDOW_END], row, &w.end))
		BUG("a row in a session has no window");
	if (w.end <= s->op.watermark) {
		s->op.count[1]++;
		return run->late ? run->late(run->late_ctx, &s->op, b, row, w.end, s->op.watermark - w.end, e) : 0;
	}
	keep_row(s, session_of(s, key, &w), b, row);
	s->of[key].recent = true;
	sessions_forget_head(s, key);
	s->op.count[0]++;
	return 0;
}

static int sessions_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct sessions *s = (struct sessions *)op;
	uint32_t *key, known;

	(void)port;
	sessions_leave(s);
	known = s->groups.table.n;
	key = keys_of(s, b);
	if (s->away.n && sessions_return(s, known, e))
		return -1;
	BATCH_EACH(b->sel, b->n_sel, i) if (hold_row(s, b, i, key[k_], e)) return -1;
	return op_check_memory(op, s->n_live + s->away.n, e);
}

/* ---- sessions out ---- */

static int64_t arrival(const struct kept_row *r) { return r->v[r->schema->n].i; }

static int by_arrival(const void *x, const void *y)
{
	int64_t a = arrival(x), b = arrival(y);

	return a < b ? -1 : a > b;
}

/* The rows of a session, which stay the bunches' own, in the order in which they came. */
static struct rowstore rows_of(const struct sessions *s, const struct session *x)
{
	struct rowstore all = { 0 };

	for (uint32_t i = 0; i < x->bunches.n; i++) {
		const struct rowstore *rows = &s->bunches[x->bunches.at[i]].rows;

		all.rows = xgrow(all.rows, &all.cap, all.n + rows->n, sizeof *all.rows);
		memcpy(all.rows + all.n, rows->rows, rows->n * sizeof *all.rows);
		all.n += rows->n;
	}
	qsort(all.rows, all.n, sizeof *all.rows, by_arrival);
	return all;
}

static int push_session(struct sessions *s, const struct session *x, struct err *e)
{
	struct rowstore all = rows_of(s, x);
	size_t *order = xmalloc((all.n + 1) * sizeof *order);
	struct arena *a = &s->op.arena;
	int verdict = 0;

	for (size_t i = 0; i < all.n; i++)
		order[i] = i;
	for (size_t from = 0; from < all.n && verdict >= 0;) {
		struct value start = v_time(x->window.start), end = v_time(x->window.end);
		struct column bounds[2] = { column_const(a, &start), column_const(a, &end) };
		struct batch b;

		from += rowstore_batch(&all, order, from, all.n, a, &b);
		b.hidden[HIDDEN_WINDOW_START] = &bounds[0];
		b.hidden[HIDDEN_WINDOW_END] = &bounds[1];
		verdict = op_push(&s->op, &b, e);
		arena_reset(a);
	}
	free(order);
	free(all.rows);
	return verdict < 0 ? -1 : 0;
}

void sessions_key(const struct sessions *s, uint32_t key, struct buf *out)
{
	buf_char(out, SESSIONS_TAG);
	if (s->groups.n_keys)
		groups_save(&s->groups, key, out);
}

static void bunch_key(const struct sessions *s, const struct bunch *x, struct buf *out)
{
	sessions_key(s, s->at[x->session].key, out);
	keep_number(out, x->id);
}

void sessions_drop_bunch(struct sessions *s, uint32_t i)
{
	struct bunch *x = &s->bunches[i];

	if (x->mark) {
		struct buf key = { 0 };

		bunch_key(s, x, &key);
		keep_gone_add(&s->gone, key.p, key.n, x->mark);
		buf_release(&key);
	}
	keep_dirty_remove(&s->dirty, i);
	s->bytes -= rowstore_memory(&x->rows);
	rowstore_release(&x->rows);
	add_number(&s->unused_bunches, i);
}

static void close_session(struct sessions *s, uint32_t slot)
{
	struct session *x = &s->at[slot];
	struct numbers *of = &s->of[x->key].list;
	uint32_t at = first_bridged(s, of, &x->window);

	while (of->at[at] != slot)
		at++;
	sessions_forget_head(s, x->key);
	for (uint32_t i = 0; i < x->bunches.n; i++)
		sessions_drop_bunch(s, x->bunches.at[i]);
	memmove(of->at + at, of->at + at + 1, (of->n - at - 1) * sizeof *of->at);
	s->n_dead += !--of->n;
	sessions_free_slot(s, slot);
}

static int by_window(const void *x, const void *y, void *ctx)
{
	const struct sessions *s = ctx;
	const struct session *a = &s->at[*(const uint32_t *)x], *b = &s->at[*(const uint32_t *)y];

	if (a->window.end != b->window.end)
		return a->window.end < b->window.end ? -1 : 1;
	if (a->window.start != b->window.start)
		return a->window.start < b->window.start ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

/* The sessions that end by then, in their order. */
static struct numbers take_due(struct sessions *s, int64_t by)
{
	struct numbers over = { 0 };
	struct timer t;

	while (timers_take(&s->ends, by, &t)) {
		const struct session *x = &s->at[t.what];

		if (!x->live || x->gen != t.gen)
			continue;
		if (x->window.end > by)
			timers_add(&s->ends, x->window.end, t.what, t.gen); /* it has grown */
		else
			add_number(&over, t.what);
	}
	if (over.n)
		qsort_r(over.at, over.n, sizeof *over.at, by_window, s);
	return over;
}

/* Dead keys that are worth numbering the others anew for. */
#define DEAD_MIN 1024

void sessions_compact(struct sessions *s)
{
	struct groups fresh;
	struct key_sessions *of = xcalloc((size_t)s->n_of + 1, sizeof *of);
	uint32_t *live = xmalloc(((size_t)s->n_of + 1) * sizeof *live), *group = xmalloc(((size_t)s->n_of + 1) * sizeof *group), n = 0;
	uint32_t *names = xmalloc(((size_t)s->n_of + 1) * sizeof *names);

	for (uint32_t k = 0; k < s->n_of; k++) {
		names[k] = UINT32_MAX;
		if (s->of[k].list.n)
			live[n++] = k;
		else
			free(s->of[k].list.at);
	}
	groups_init(&fresh, s->groups.n_keys);
	groups_copy(&fresh, &s->groups, live, n, group);
	for (uint32_t i = 0; i < n; i++) {
		fresh.table.entries[group[i]].user = s->groups.table.entries[live[i]].user;
		names[live[i]] = group[i];
		of[group[i]] = s->of[live[i]];
		for (uint32_t k = 0; k < of[group[i]].list.n; k++)
			s->at[of[group[i]].list.at[k]].key = group[i];
	}
	keep_dirty_rename(&s->heads, names);
	groups_release(&s->groups);
	free(s->of);
	s->groups = fresh;
	s->of = of;
	s->of_cap = (size_t)s->n_of + 1;
	s->n_of = n;
	s->n_dead = 0;
	free(live);
	free(group);
	free(names);
}

static int push_due(struct sessions *s, int64_t by, struct err *e)
{
	struct numbers over = take_due(s, by);
	int r = 0;

	for (uint32_t i = 0; i < over.n && !r; i++) {
		r = push_session(s, &s->at[over.at[i]], e);
		close_session(s, over.at[i]);
	}
	free(over.at);
	if (s->groups.n_keys && s->n_dead > DEAD_MIN && s->n_dead > s->n_of / 2)
		sessions_compact(s);
	return r;
}

static int sessions_batch_end(struct op *op, struct err *e)
{
	struct sessions *s = (struct sessions *)op;
	int64_t until = op->watermark == WATERMARK_END ? INT64_MAX : op->watermark + 1, upto = INT64_MIN;
	int r = 0;

	if (!s->away.n || op->watermark == WATERMARK_NONE)
		return push_due(s, op->watermark, e);
	while (upto < until && !r) {
		r = sessions_bring(s, upto, until, &upto, e);
		if (!r)
			r = push_due(s, upto < until ? upto - 1 : op->watermark, e);
	}
	return r;
}

/* ---- what survives a restart: 's', the key, the number of the bunch -> its rows; the sessions are found in them. Heads: sessions_away.c ---- */

static void sessions_commit(struct op *op, struct keeper *to)
{
	struct sessions *s = (struct sessions *)op;
	struct keep k = { .to = to };
	uint32_t i;

	keep_gone_commit(&s->gone, to);
	while ((i = keep_dirty_take(&s->dirty)) != UINT32_MAX) {
		struct bunch *x = &s->bunches[i];

		keep_start(&k, SESSIONS_TAG, SESSIONS_BUNCH_VERSION);
		k.key.n = 0;
		bunch_key(s, x, &k.key);
		for (size_t row = 0; row < x->rows.n; row++)
			rowstore_save_row(&x->rows, row, &k.value);
		keep_put(&k, &x->mark);
		x->open = false;
	}
	sessions_put_heads(s, &k);
	keep_release(&k);
}

static bool is_whole(const struct rowstore *rows, size_t at)
{
	const struct kept_row *r = &rows->rows[at];

	return r->n > r->schema->n && r->v[r->schema->n].type == T_INT && r->v[r->schema->n].i > 0 &&
	       rowstore_hidden(rows, at, HIDDEN_WINDOW_START).type == T_TIME && rowstore_hidden(rows, at, HIDDEN_WINDOW_END).type == T_TIME;
}

/* The rows' windows bridge each other, or those of bunches that do: what lies between their ends is one session. */
static int restore_rows(struct sessions *s, uint32_t key, struct rowstore *rows_take, struct bunch *x)
{
	struct interval w = { INT64_MAX, INT64_MIN };
	uint32_t session, i;

	for (size_t at = 0; at < rows_take->n; at++) {
		struct interval own;

		if (!is_whole(rows_take, at))
			return -1;
		own = (struct interval){ rowstore_hidden(rows_take, at, HIDDEN_WINDOW_START).i, rowstore_hidden(rows_take, at, HIDDEN_WINDOW_END).i };
		widen(&w, &own);
		if ((uint64_t)arrival(&rows_take->rows[at]) > s->arrived)
			s->arrived = (uint64_t)arrival(&rows_take->rows[at]);
	}
	if (w.start >= w.end)
		return -1;
	session = session_of(s, key, &w);
	if (s->ids < x->id)
		s->ids = x->id;
	i = open_bunch(s, session);
	s->bunches[i] = (struct bunch){ .rows = *rows_take, .id = x->id, .session = session, .mark = x->mark };
	if ((uint64_t)arrival(&rows_take->rows[0]) < s->at[session].first)
		s->at[session].first = (uint64_t)arrival(&rows_take->rows[0]);
	s->bytes += rowstore_memory(rows_take);
	return 0;
}

int sessions_load(struct sessions *s, const struct kept_entry *entry)
{
	struct bytes_in key = keep_open(entry->key, entry->key_n, SESSIONS_TAG), value = keep_open(entry->value, entry->n, SESSIONS_BUNCH_VERSION);
	struct bunch x = { .mark = entry->mark };
	struct rowstore rows = { .arena.small = true };
	uint32_t group = 0;
	int r = 0;

	if (s->groups.n_keys && groups_load(&s->groups, &key.p, key.end, &group))
		return -1;
	x.id = keep_get_number(&key);
	while (!value.bad && value.p < value.end && !r)
		r = rowstore_load_row(&rows, &value.p, value.end);
	if (r || value.bad || !x.id || !keep_over(&key) || !rows.n || restore_rows(s, group, &rows, &x)) {
		rowstore_release(&rows);
		return -1;
	}
	return 0;
}

static int sessions_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct sessions *s = (struct sessions *)op;
	struct kept_entry entry = { key, value, key_n, n, mark };
	int r;

	if (!key) {
		buf_release(&s->resting);
		return 0;
	}
	if (n && *value == SESSIONS_HEAD_VERSION)
		r = sessions_load_head(s, &entry);
	else
		r = sessions_is_resting(s, &entry) ? 0 : sessions_load(s, &entry);
	return r ? keep_refuse(op, e) : 0;
}

/* ---- the operator ---- */

static uint64_t n_held(const struct sessions *s) { return s->n_live + s->away.n; }

static bool sessions_holds(const struct op *op) { return n_held((const struct sessions *)op); }

static size_t numbers_memory(const struct numbers *l) { return l->cap * sizeof *l->at; }

static size_t sessions_memory(const struct op *op)
{
	const struct sessions *s = (const struct sessions *)op;

	return s->bytes + s->of_cap * sizeof *s->of + s->cap * sizeof *s->at + s->bunches_cap * sizeof *s->bunches + timers_memory(&s->ends) +
	       (s->groups.n_keys ? groups_memory(&s->groups) : 0) + numbers_memory(&s->unused) + numbers_memory(&s->unused_bunches) +
	       keep_dirty_memory(&s->dirty) + s->gone.b.cap + sessions_away_memory(s);
}

static uint64_t sessions_held(const struct op *op, const char **what)
{
	*what = "sessions";
	return n_held((const struct sessions *)op);
}

static void sessions_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct sessions *s = (const struct sessions *)op;

	for (uint32_t k = 0; k < s->spec.n_keys; k++)
		expr_unseen(s->spec.keys_take[k], fn, ctx);
}

static void sessions_free(struct op *op)
{
	struct sessions *s = (struct sessions *)op;

	for (uint32_t k = 0; k < s->spec.n_keys; k++)
		expr_release(s->spec.keys_take[k]);
	for (uint32_t i = 0; i < s->n_of; i++)
		free(s->of[i].list.at);
	for (uint32_t i = 0; i < s->n; i++)
		free(s->at[i].bunches.at);
	for (uint32_t i = 0; i < s->n_bunches; i++)
		rowstore_release(&s->bunches[i].rows);
	if (s->groups.n_keys)
		groups_release(&s->groups);
	free(s->of);
	free(s->at);
	free(s->bunches);
	free(s->unused.at);
	free(s->unused_bunches.at);
	timers_release(&s->ends);
	keep_dirty_release(&s->dirty);
	keep_gone_release(&s->gone);
	sessions_away_release(s);
}

static const struct op_class sessions_class = {
	.name = "sessions",
	.leaves = true,
	.counters = { "held", "late" },
	.process = sessions_process,
	.on_batch_end = sessions_batch_end,
	.free = sessions_free,
	.memory = sessions_memory,
	.holds = sessions_holds,
	.held = sessions_held,
	.unseen = sessions_unseen,
	.commit = sessions_commit,
	.restore = sessions_restore,
};

struct op *op_sessions(struct run *run, int stage, const char *word, const struct sessions_spec *spec)
{
	struct sessions *s = op_make(&sessions_class, sizeof *s, run, stage, word);

	s->spec = *spec;
	s->groups.n_keys = spec->by_record ? 1 : spec->n_keys;
	if (s->groups.n_keys)
		groups_init(&s->groups, s->groups.n_keys);
	s->leaves = run->mem_max && spec->n_keys && !spec->by_record;
	s->op.stays = !s->leaves;
	return &s->op;
}
