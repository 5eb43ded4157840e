#include "op/op_join.h"

#include <stdlib.h>

#include "data/rowstore.h"
#include "op/join_impl.h"

enum { JOIN_TAKEN, JOIN_LATE, JOIN_NO_TIME };

/* ---- expiry ---- */

static int64_t add_sat(int64_t a, int64_t b)
{
	int64_t r;

	return !__builtin_add_overflow(a, b, &r) ? r : a > 0 ? INT64_MAX : INT64_MIN;
}

/* Has the watermark to be past the last time that matches? Spark's rule: for a range of times, but not where they are equal as keys are. */
static int64_t slack(const struct join *j)
{
	return j->spec.from || j->spec.to;
}

/* The watermark at which no row of the other side can match any more. */
static int64_t expires_at(const struct join *j, int side, const struct join_row *r)
{
	int64_t bound = side ? j->spec.from : j->spec.to;

	if (j->spec.scope == JOIN_WINDOW)
		return r->end;
	if (bound == (side ? INT64_MIN : INT64_MAX))
		return INT64_MAX;
	return add_sat(add_sat(r->at, side ? -bound : bound), slack(j));
}

/* ---- what comes out ---- */

static bool left_alone(const struct join *j)
{
	return j->spec.kind == JOIN_SEMI || j->spec.kind == JOIN_ANTI;
}

static const struct join_row *row_of(const struct join *j, const struct pair *p, int side)
{
	return p->row[side] == JOIN_NONE ? NULL : &j->side[side].rows[p->row[side]];
}

/* A missing side has the fields that its last record had. */
static const struct schema *schema_of(const struct join *j, const struct pair *p, int side)
{
	const struct join_row *r = row_of(j, p, side);

	if (r)
		return r->schema;
	if (side == 1 && left_alone(j))
		return NULL;
	return j->side[side].seen ? j->side[side].seen : j->spec.known[side];
}

static struct value cell(const struct join *j, const struct pair *p, const struct join_source *from)
{
	for (int side = 0; side < 2; side++) {
		const struct join_row *r = from->at[side] < 0 ? NULL : row_of(j, p, side);

		if (r)
			return r->v[from->at[side]];
	}
	return v_null();
}

static void put_hidden(const struct join *j, const struct pair *p, uint32_t n, struct batch *b)
{
	struct column *cols = arena_array(b->arena, struct column, 3);
	bool windows = j->spec.scope == JOIN_WINDOW;

	if (!j->timed && !windows)
		return;
	for (int c = 0; c < 3; c++)
		cols[c] = column_make(b->arena, T_TIME, n);
	cols[0].valid = bitmap_make(b->arena, n);
	for (uint32_t k = 0; k < n; k++) {
		const struct join_row *l = row_of(j, &p[k], 0), *r = row_of(j, &p[k], 1);

		cols[0].i[k] = !l || (r && r->at > l->at) ? r->at : l->at;
		cols[1].i[k] = l ? l->start : r->start;
		cols[2].i[k] = l ? l->end : r->end;
		if (windows) /* as a result of the window: it is not late for what comes behind */
			cols[0].i[k] = cols[2].i[k] - 1;
		if (cols[0].i[k] == INT64_MIN)
			bit_clear(cols[0].valid, k);
	}
	b->hidden[HIDDEN_EVENT] = j->timed ? &cols[0] : NULL;
	b->hidden[HIDDEN_WINDOW_START] = windows ? &cols[1] : NULL;
	b->hidden[HIDDEN_WINDOW_END] = windows ? &cols[2] : NULL;
}

/* The pairs as a batch with the columns that conditions mention. */
static void build(struct join *j, const struct join_shape *shape, const struct pair *p, uint32_t n, struct batch *b)
{
	struct arena *a = &j->op.arena;
	struct column *cols = arena_array(a, struct column, shape->wide->n + 1);

	for (uint32_t c = 0; c < shape->wide->n; c++) {
		struct value *v = arena_array(a, struct value, n);

		for (uint32_t k = 0; k < n; k++)
			v[k] = cell(j, &p[k], &shape->from[c]);
		cols[c] = column_tighten(a, v, NULL, n, n);
	}
	*b = (struct batch){ .schema = shape->wide, .cols = cols, .n_rows = n, .n_sel = n, .arena = a };
	put_hidden(j, p, n, b);
}

static void put_raw(const struct join *j, const struct pair *p, uint32_t n, struct batch *b)
{
	struct value *raw = arena_array(b->arena, struct value, n);

	for (uint32_t k = 0; k < n; k++)
		raw[k] = row_of(j, &p[k], 0)->raw;
	if (n && raw[0].type != T_NULL)
		b->raw = raw;
}

/* Rows of the left alone, of one schema. */
static int push_left(struct join *j, const struct pair *p, uint32_t n, struct err *e)
{
	struct batch b;

	build(j, join_shape_of(&j->shapes, &j->spec.names, schema_of(j, p, 0), NULL), p, n, &b);
	b.schema = join_shape_of(&j->shapes, &j->spec.names, schema_of(j, p, 0), NULL)->out;
	put_raw(j, p, n, &b);
	return op_push(&j->op, &b, e);
}

/* Which pairs hold: all, but for the condition; those of one row are decided later. */
static uint64_t *holding(struct join *j, const struct pair *p, uint32_t n, const struct batch *b)
{
	uint64_t *holds = bitmap_make(b->arena, n);
	uint32_t *both, *pass, n_both = 0;
	uint64_t nulls = 0;

	if (!j->spec.where)
		return holds;
	both = arena_array(b->arena, uint32_t, n);
	pass = arena_array(b->arena, uint32_t, n);
	for (uint32_t k = 0; k < n; k++)
		if (p[k].row[0] != JOIN_NONE && p[k].row[1] != JOIN_NONE)
			both[n_both++] = k;
	for (uint32_t k = 0; k < n; k++)
		bit_clear(holds, k);
	n_both = expr_filter(j->spec.where, &j->op.eval, b, both, n_both, pass, &nulls);
	for (uint32_t k = 0; k < n_both; k++)
		bit_set(holds, pass[k]);
	return holds;
}

/* Whether a row has been matched outlives a restart where it matters. */
static void note_match(struct join *j, int side, uint32_t row)
{
	struct join_row *r = &j->side[side].rows[row];

	if (!r->matched && join_preserves(j, side))
		join_side_note(&j->side[side], row);
	r->matched = true;
}

/* Does the pair come out? In order, for a row is matched once one of its pairs holds. */
static bool comes_out(struct join *j, const struct pair *p, bool holds)
{
	struct join_row *l = p->row[0] == JOIN_NONE ? NULL : &j->side[0].rows[p->row[0]];
	struct join_row *r = p->row[1] == JOIN_NONE ? NULL : &j->side[1].rows[p->row[1]];
	bool first;

	if (!l || !r)
		return !(l ? l : r)->matched;
	if (!holds)
		return false;
	first = !l->matched;
	note_match(j, 0, p->row[0]);
	note_match(j, 1, p->row[1]);
	if (left_alone(j))
		join_side_kill(&j->side[0], p->row[0]); /* it has come out, or never will */
	if (j->spec.kind == JOIN_SEMI)
		return first;
	return j->spec.kind != JOIN_ANTI;
}

/* Pairs of one shape. */
static int flush_run(struct join *j, struct pair *p, uint32_t n, struct err *e)
{
	const struct join_shape *shape = join_shape_of(&j->shapes, &j->spec.names, schema_of(j, p, 0), schema_of(j, p, 1));
	uint32_t *sel = arena_array(&j->op.arena, uint32_t, n), n_sel = 0;
	struct batch b = { .arena = &j->op.arena };
	uint64_t *holds;

	if (!left_alone(j) || j->spec.where)
		build(j, shape, p, n, &b);
	holds = holding(j, p, n, &b);
	for (uint32_t k = 0; k < n; k++)
		if (comes_out(j, &p[k], bit_get(holds, k)))
			sel[n_sel++] = k;
	if (!n_sel)
		return 0;
	if (left_alone(j)) {
		for (uint32_t k = 0; k < n_sel; k++)
			p[k] = p[sel[k]];
		return push_left(j, p, n_sel, e);
	}
	b.schema = shape->out;
	b.sel = sel;
	b.n_sel = n_sel;
	return op_push(&j->op, &b, e);
}

static bool same_shape(const struct join *j, const struct pair *a, const struct pair *b)
{
	return schema_of(j, a, 0) == schema_of(j, b, 0) && schema_of(j, a, 1) == schema_of(j, b, 1);
}

static int flush(struct join *j, struct err *e)
{
	uint32_t n;

	for (uint32_t at = 0; at < j->n_pairs; at += n) {
		int verdict;

		for (n = 1; at + n < j->n_pairs && same_shape(j, &j->pairs[at], &j->pairs[at + n]); n++)
			;
		arena_reset(&j->op.arena);
		verdict = j->done ? 0 : flush_run(j, j->pairs + at, n, e);
		if (verdict < 0)
			return -1;
		j->done |= verdict;
	}
	j->n_pairs = 0;
	return 0;
}

static int add_pair(struct join *j, uint32_t left, uint32_t right, struct err *e)
{
	j->pairs[j->n_pairs++] = (struct pair){ { left, right } };
	return j->n_pairs == batch_rows() ? flush(j, e) : 0;
}

static int add_alone(struct join *j, int side, uint32_t row, struct err *e)
{
	return side ? add_pair(j, JOIN_NONE, row, e) : add_pair(j, row, JOIN_NONE, e);
}

/* ---- what comes in ---- */

static int64_t hidden_time(const struct batch *b, enum hidden h, uint32_t row)
{
	struct value v = b->hidden[h] ? column_get(b->hidden[h], row) : v_null();

	return v.type == T_TIME ? v.i : INT64_MIN;
}

/* Rows that are neither late nor without the time that the join goes by. UINT32_MAX: failed. */
static uint32_t in_time(struct join *j, const struct batch *b, uint32_t *sel, struct err *e)
{
	enum join_scope scope = j->spec.scope;
	uint32_t n = 0;

	BATCH_EACH(b->sel, b->n_sel, i)
	{
		int64_t t = hidden_time(b, scope == JOIN_WINDOW ? HIDDEN_WINDOW_END : HIDDEN_EVENT, i);

		if (scope < JOIN_WINDOW) {
			sel[n++] = i;
		} else if (t == INT64_MIN) {
			j->op.count[JOIN_NO_TIME]++;
		} else if (t <= j->op.watermark) {
			j->op.count[JOIN_LATE]++;
			if (j->op.run->late && j->op.run->late(j->op.run->late_ctx, &j->op, b, i, t, j->op.watermark - t, e))
				return UINT32_MAX;
		} else {
			sel[n++] = i;
		}
	}
	return n;
}

/* Rows of a batch as they are taken in. */
struct taking {
	const struct batch *b;
	uint32_t *sel, n;       /* in time */
	struct column *keys;
	uint32_t *good, n_good; /* those of sel that could match some row, or wait for their time without */
	uint32_t *group;        /* of the good ones */
};

static bool has_keys(const struct join *j, const struct taking *t, uint32_t row)
{
	for (uint32_t c = 0; c < j->spec.n_keys; c++)
		if (!j->spec.null_keys[c] && column_null(&t->keys[c], row))
			return false;
	return true;
}

/* Does a row whose key matches nothing wait until no row of its time can come any more, as those do that have found none? */
static bool waits_alone(const struct join *j, int side)
{
	return j->spec.scope >= JOIN_WINDOW && join_preserves(j, side);
}

/* The condition on their own side holds, and no key is null that must not be, unless the row waits alone. */
static void choose_good(struct join *j, int side, struct taking *t)
{
	uint64_t nulls = 0;
	uint32_t n = t->n;

	if (j->spec.own[side])
		n = expr_filter(j->spec.own[side], &j->op.eval, t->b, t->sel, n, t->good, &nulls);
	else
		memcpy(t->good, t->sel, n * sizeof *t->sel);
	for (uint32_t k = 0; k < n; k++) {
		t->good[t->n_good] = t->good[k];
		t->n_good += waits_alone(j, side) || has_keys(j, t, t->good[k]);
	}
}

static void put_keys(struct join *j, struct taking *t)
{
	struct arena *a = t->b->arena;
	const struct column **at = arena_array(a, const struct column *, j->spec.n_keys + 2);
	struct key_bytes *bytes = arena_array(a, struct key_bytes, t->n_good + 1);
	uint32_t n_at = j->spec.n_keys;

	for (uint32_t c = 0; c < j->spec.n_keys; c++)
		at[c] = &t->keys[c];
	if (j->spec.scope == JOIN_WINDOW) {
		at[n_at++] = t->b->hidden[HIDDEN_WINDOW_START];
		at[n_at++] = t->b->hidden[HIDDEN_WINDOW_END];
	}
	if (!t->n_good)
		return; /* there may be no windows either */
	key_of_columns(a, at, n_at, t->good, t->n_good, bytes);
	keytab_put(&j->keys, bytes, t->n_good, t->group);
}

void join_wait_for(struct op *op, int side, uint32_t row)
{
	struct join *j = (struct join *)op;
	const struct join_row *r = &j->side[side].rows[row];

	if (j->spec.scope >= JOIN_WINDOW)
		expiries_add(&j->expiries[side], (struct expiry){ expires_at(j, side, r), r->start, row });
}

static void keep(struct join *j, int side, const struct taking *t, uint32_t row, uint32_t group)
{
	const struct batch *b = t->b;
	struct join_stamp stamp = { .at = hidden_time(b, HIDDEN_EVENT, row), .start = hidden_time(b, HIDDEN_WINDOW_START, row),
				    .end = hidden_time(b, HIDDEN_WINDOW_END, row), .group = group,
				    .lone = group != JOIN_NONE && waits_alone(j, side) && !has_keys(j, t, row) };
	uint32_t at = join_side_add(&j->side[side], b, row, &stamp);

	j->timed |= stamp.at != INT64_MIN;
	if (group != JOIN_NONE)
		join_wait_for(&j->op, side, at);
}

/* In the order they came; rows that nothing can match only where they may come out alone. */
static void keep_rows(struct join *j, int side, const struct taking *t)
{
	uint32_t g = 0;

	for (uint32_t k = 0; k < t->n; k++) {
		bool good = g < t->n_good && t->good[g] == t->sel[k];

		if (good || join_preserves(j, side))
			keep(j, side, t, t->sel[k], good ? t->group[g] : JOIN_NONE);
		g += good;
	}
	j->side[side].seen = t->b->schema;
}

static int join_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct join *j = (struct join *)op;
	struct taking t = { .b = b };

	if (j->done) {
		op->unwanted += b->n_sel;
		return 1;
	}
	t.sel = arena_array(b->arena, uint32_t, b->n_sel + 1);
	t.good = arena_array(b->arena, uint32_t, b->n_sel + 1);
	t.group = arena_array(b->arena, uint32_t, b->n_sel + 1);
	t.keys = arena_array(b->arena, struct column, j->spec.n_keys);
	t.n = in_time(j, b, t.sel, e);
	if (t.n == UINT32_MAX)
		return -1;
	op->count[JOIN_TAKEN] += t.n;
	for (uint32_t c = 0; c < j->spec.n_keys; c++)
		t.keys[c] = expr_eval(j->spec.keys[port][c], &op->eval, b, t.sel, t.n);
	choose_good(j, port, &t);
	put_keys(j, &t);
	keep_rows(j, port, &t);
	return j->away.whole && join_leaves(j) ? 0 : op_check_memory(op, j->keys.n + j->away.away.n, e);
}

/* ---- the end of a micro-batch ---- */

static bool is_within(const struct join *j, uint32_t left, uint32_t right)
{
	int64_t l = j->side[0].rows[left].at, r = j->side[1].rows[right].at;
	__int128 apart = (__int128)r - l;

	if (j->spec.scope != JOIN_WITHIN)
		return true;
	return (j->spec.from == INT64_MIN || apart >= j->spec.from) && (j->spec.to == INT64_MAX || apart <= j->spec.to);
}

/* The first and the last time of the other side that a row of this side may match; with times that saturate, more than those. */
static int64_t earliest(const struct join *j, int side, int64_t at)
{
	int64_t bound = side ? j->spec.to : j->spec.from;

	if (j->spec.scope != JOIN_WITHIN || bound == (side ? INT64_MAX : INT64_MIN))
		return INT64_MIN;
	return add_sat(at, side ? -bound : bound);
}

static int64_t latest(const struct join *j, int side, int64_t at)
{
	int64_t bound = side ? j->spec.from : j->spec.to;

	if (j->spec.scope != JOIN_WITHIN || bound == (side ? INT64_MIN : INT64_MAX))
		return INT64_MAX;
	return add_sat(at, side ? -bound : bound);
}

/* Row `row` of one side with the rows before `until` of the other. */
static int match_row(struct join *j, int side, uint32_t row, uint32_t until, struct err *e)
{
	struct join_side *other = &j->side[!side];
	const struct join_row *r = &j->side[side].rows[row];
	int64_t low = earliest(j, side, r->at), high = latest(j, side, r->at);
	uint32_t at = r->group == JOIN_NONE || r->lone ? JOIN_NONE : join_side_first_from(other, r->group, low);

	for (; at < until && !join_side_beyond(other, at, high); at = join_side_next(other, at)) {
		uint32_t left = side ? at : row, right = side ? row : at;

		if (is_within(j, left, right) && add_pair(j, left, right, e))
			return -1;
	}
	return 0;
}

/* New rows of a side, in order. A row that nothing can match any more comes out in its place. */
static int match_side(struct join *j, int side, uint32_t until, struct err *e)
{
	struct join_side *s = &j->side[side];

	for (uint32_t i = s->fresh; i < s->n; i++) {
		bool over = s->rows[i].group == JOIN_NONE || (j->spec.scope == JOIN_BATCH && side == 0);

		if (s->rows[i].dead)
			continue;
		if (match_row(j, side, i, until, e))
			return -1;
		if (over && join_preserves(j, side) && add_alone(j, side, i, e))
			return -1;
		if (s->rows[i].group == JOIN_NONE)
			join_side_kill(s, i);
	}
	return 0;
}

/* Right rows that no left row of the micro-batch has matched; every row at the end of time. */
static int rest_of(struct join *j, int side, struct err *e)
{
	struct join_side *s = &j->side[side];

	for (uint32_t i = 0; join_preserves(j, side) && i < s->n; i++)
		if (!s->rows[i].dead && s->rows[i].group != JOIN_NONE && add_alone(j, side, i, e))
			return -1;
	return flush(j, e);
}

static int expire(struct join *j, int64_t watermark, struct err *e)
{
	for (;;) {
		struct expiries *l = &j->expiries[0], *r = &j->expiries[1];
		int side = !l->n || (r->n && r->at[0].time < l->at[0].time);
		struct expiries *x = &j->expiries[side];
		uint32_t row;

		if (!x->n || x->at[0].time > watermark)
			return flush(j, e);
		row = x->at[0].id;
		expiries_pop(x);
		if (j->side[side].rows[row].dead)
			continue;
		if (join_preserves(j, side) && add_alone(j, side, row, e))
			return -1;
		join_side_kill(&j->side[side], row);
	}
}

/* Groups that some row still has get new numbers. */
static uint32_t *rename_groups(struct join *j)
{
	uint32_t *map = xmalloc(((size_t)j->keys.n + 1) * sizeof *map);
	struct keytab fresh;

	memset(map, 0xFF, ((size_t)j->keys.n + 1) * sizeof *map);
	for (int side = 0; side < 2; side++)
		for (uint32_t i = 0; i < j->side[side].n; i++)
			if (!j->side[side].rows[i].dead && j->side[side].rows[i].group != JOIN_NONE)
				map[j->side[side].rows[i].group] = 0;
	keytab_init(&fresh);
	for (uint32_t g = 0; g < j->keys.n; g++) {
		struct key_bytes key;

		if (map[g])
			continue;
		keytab_key(&j->keys, g, &key);
		keytab_put(&fresh, &key, 1, &map[g]);
	}
	keytab_release(&j->keys);
	j->keys = fresh;
	return map;
}

void join_rebuild(struct join *j)
{
	uint32_t *map = rename_groups(j);

	for (int side = 0; side < 2; side++) {
		uint32_t *rows = xmalloc(((size_t)j->side[side].n + 1) * sizeof *rows);

		join_side_rebuild(&j->side[side], map, rows);
		expiries_rename(&j->expiries[side], rows);
		free(rows);
	}
	free(map);
}

static void clear(struct join *j)
{
	keytab_clear(&j->keys);
	join_side_clear(&j->side[0]);
	join_side_clear(&j->side[1]);
}

/* May rows come out whose times nothing bounds? A pair has the later time of its two, which is that of a new row. */
static bool holds_all(const struct join *j)
{
	bool left = j->spec.to == INT64_MAX, right = j->spec.from == INT64_MIN;

	if (j->spec.scope == JOIN_ALL || (left && right))
		return true;
	return (left && (join_preserves(j, 0) || j->spec.kind == JOIN_SEMI)) || (right && join_preserves(j, 1));
}

/* What may still come out is at most this much behind. */
static int64_t holds_back(const struct join *j)
{
	const struct join_spec *s = &j->spec;
	int64_t w = j->op.watermark, most = s->to > 0 && s->to < INT64_MAX ? s->to : 0;

	if (w == WATERMARK_NONE || w == WATERMARK_END || s->scope == JOIN_BATCH || s->scope == JOIN_WINDOW)
		return w;
	if (holds_all(j))
		return WATERMARK_NONE;
	if (s->from > INT64_MIN && -s->from > most)
		most = -s->from;
	most += slack(j);
	return w < INT64_MIN + 1 + most ? WATERMARK_NONE : w - most;
}

static int match_new(struct join *j, struct err *e)
{
	if (match_side(j, 0, JOIN_NONE, e) || match_side(j, 1, j->side[0].fresh, e))
		return -1;
	if (j->spec.scope == JOIN_BATCH && rest_of(j, 1, e))
		return -1;
	return flush(j, e);
}

/* At the end of time an outer join over the whole stream goes through all rows that it kept. */
static int back_from_away(struct join *j, bool over, struct err *e)
{
	bool all = over && j->spec.scope == JOIN_ALL && (join_preserves(j, 0) || join_preserves(j, 1));

	return all ? join_away_return_all(&j->away, e) : join_away_return(&j->away, e);
}

static int join_batch_end(struct op *op, struct err *e)
{
	struct join *j = (struct join *)op;
	bool over = op->run->last && op->run->ends;

	if (back_from_away(j, over, e) || match_new(j, e))
		return -1;
	if (j->spec.scope >= JOIN_WINDOW && expire(j, op->watermark, e))
		return -1;
	if (j->spec.scope == JOIN_ALL && over && (rest_of(j, 0, e) || rest_of(j, 1, e)))
		return -1;
	if (j->spec.scope == JOIN_BATCH)
		clear(j);
	else if (join_side_worn(&j->side[0]) || join_side_worn(&j->side[1]))
		join_rebuild(j);
	j->side[0].fresh = j->side[0].n;
	j->side[1].fresh = j->side[1].n;
	join_away_settle(&j->away);
	op->passes = holds_back(j);
	return 0;
}

static bool join_holds(const struct op *op)
{
	const struct join *j = (const struct join *)op;

	for (int side = 0; side < 2; side++)
		if (join_preserves(j, side) && (j->side[side].n > j->side[side].n_dead || j->away.rows[side]))
			return true;
	return false;
}

static size_t join_memory(const struct op *op)
{
	const struct join *j = (const struct join *)op;
	size_t n = keytab_memory(&j->keys) + join_away_memory(&j->away);

	for (int side = 0; side < 2; side++)
		n += join_side_memory(&j->side[side]) + expiries_memory(&j->expiries[side]);
	return n;
}

static void join_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct join *j = (const struct join *)op;

	for (int side = 0; side < 2; side++)
		for (uint32_t c = 0; j->side[side].seen && c < j->spec.n_keys; c++)
			expr_unseen(j->spec.keys[side][c], fn, ctx);
}

static void join_free(struct op *op)
{
	struct join *j = (struct join *)op;

	for (int side = 0; side < 2; side++) {
		for (uint32_t c = 0; c < j->spec.n_keys; c++)
			expr_release(j->spec.keys[side][c]);
		expr_release(j->spec.own[side]);
		join_side_release(&j->side[side]);
		expiries_release(&j->expiries[side]);
	}
	expr_release(j->spec.where);
	join_away_release(&j->away);
	keytab_release(&j->keys);
	join_shapes_release(&j->shapes);
	buf_release(&j->kept);
	free(j->pairs);
}

static const struct op_class join_class = {
	.name = "join",
	.leaves = true,
	.makes_fields = true,
	.counters = { "taken", "late", "no-time" },
	.process = join_process,
	.on_batch_end = join_batch_end,
	.free = join_free,
	.memory = join_memory,
	.holds = join_holds,
	.unseen = join_unseen,
	.commit = join_save,
	.restore = join_restore,
};

struct op *op_join(struct run *run, int stage, const char *word, const struct join_spec *spec)
{
	struct join *j = op_make(&join_class, sizeof *j, run, stage, word);

	j->spec = *spec;
	j->side[1].number = 1;
	for (int side = 0; side < 2; side++)
		j->side[side].kept.durable = spec->scope == JOIN_BATCH ? NULL : &run->durable;
	j->pairs = xcalloc(batch_rows(), sizeof *j->pairs);
	keytab_init(&j->keys);
	j->away.op = &j->op;
	j->away.keys = &j->keys;
	j->away.side = j->side;
	j->away.n_sides = 2;
	j->away.expiries = j->expiries;
	j->away.wait = join_wait_for;
	join_away_init(&j->away);
	j->op.stays = !join_leaves(j);
	return &j->op;
}
