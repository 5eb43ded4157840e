#include "op/op_cogroup.h"

#include <stdlib.h>

#include "data/keytab.h"
#include "op/expiries.h"
#include "op/join_away.h"

enum { COGROUP_TAKEN, COGROUP_LATE, COGROUP_NO_TIME };

struct place {
	uint32_t group;
	uint64_t order; /* grows, and is the same after a restart */
};

struct cogroup {
	struct op op;
	struct cogroup_spec spec;
	struct keytab keys;
	struct join_side *sides;
	struct expiries windows; /* JOIN_WINDOW: places by the end of their window */
	struct place *places;    /* groups in the order they appeared, which their numbers do not tell: those go by how ports took turns */
	uint32_t n_places;
	size_t places_cap;
	uint64_t *placed;        /* by group: the order of its place; 0: it has none */
	uint32_t n_placed;
	size_t placed_cap;
	uint64_t orders;
	const struct schema *schema;
	struct join_away away;
	bool moved; /* places have come back behind later ones */
};

static bool by_window(const struct cogroup *c) { return c->spec.scope == JOIN_WINDOW; }

/* ---- what comes in ---- */

static int64_t hidden_time(const struct batch *b, enum hidden h, uint32_t row)
{
	struct value v = b->hidden[h] ? column_get(b->hidden[h], row) : v_null();

	return v.type == T_TIME ? v.i : INT64_MIN;
}

/* UINT32_MAX: failed. */
static uint32_t in_time(struct cogroup *c, const struct batch *b, uint32_t *sel, struct err *e)
{
	uint32_t n = 0;

	BATCH_EACH(b->sel, b->n_sel, i)
	{
		int64_t end = by_window(c) ? hidden_time(b, HIDDEN_WINDOW_END, i) : INT64_MAX;

		if (end == INT64_MIN) {
			c->op.count[COGROUP_NO_TIME]++;
		} else if (by_window(c) && end <= c->op.watermark) {
			c->op.count[COGROUP_LATE]++;
			if (c->op.run->late && c->op.run->late(c->op.run->late_ctx, &c->op, b, i, end, c->op.watermark - end, e))
				return UINT32_MAX;
		} else {
			sel[n++] = i;
		}
	}
	return n;
}

static void put_keys(struct cogroup *c, const struct batch *b, const struct column *keys, const uint32_t *sel, uint32_t n, uint32_t *group)
{
	const struct column **at = arena_array(b->arena, const struct column *, c->spec.n_keys + 2);
	struct key_bytes *bytes = arena_array(b->arena, struct key_bytes, n);
	uint32_t n_at = c->spec.n_keys;

	for (uint32_t k = 0; k < c->spec.n_keys; k++)
		at[k] = &keys[k];
	if (by_window(c)) {
		at[n_at++] = b->hidden[HIDDEN_WINDOW_START];
		at[n_at++] = b->hidden[HIDDEN_WINDOW_END];
	}
	key_of_columns(b->arena, at, n_at, sel, n, bytes);
	keytab_put(&c->keys, bytes, n, group);
}

static void keep(struct cogroup *c, int port, const struct batch *b, uint32_t row, const struct column *keys, uint32_t group)
{
	struct value *key = arena_array(b->arena, struct value, c->spec.n_keys);
	struct join_stamp stamp = { .at = INT64_MIN, .start = hidden_time(b, HIDDEN_WINDOW_START, row),
				    .end = hidden_time(b, HIDDEN_WINDOW_END, row), .group = group, .extra = key, .n_extra = c->spec.n_keys };

	for (uint32_t k = 0; k < c->spec.n_keys; k++)
		key[k] = column_get(&keys[k], row);
	join_side_add(&c->sides[port], b, row, &stamp);
}

static int cogroup_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct cogroup *c = (struct cogroup *)op;
	uint32_t *sel = arena_array(b->arena, uint32_t, b->n_sel + 1), *group = arena_array(b->arena, uint32_t, b->n_sel + 1);
	struct column *keys = arena_array(b->arena, struct column, c->spec.n_keys);
	uint32_t n = in_time(c, b, sel, e);

	if (n == UINT32_MAX)
		return -1;
	op->count[COGROUP_TAKEN] += n;
	if (!n)
		return 0;
	for (uint32_t k = 0; k < c->spec.n_keys; k++)
		keys[k] = expr_eval(c->spec.keys[(uint32_t)port * c->spec.n_keys + k], &op->eval, b, sel, n);
	put_keys(c, b, keys, sel, n, group);
	for (uint32_t k = 0; k < n; k++)
		keep(c, port, b, sel[k], keys, group[k]);
	return c->away.whole ? 0 : op_check_memory(op, c->keys.n + c->away.away.n, e);
}

/* ---- what comes out ---- */

static struct value record_of(const struct join_row *r, struct arena *a)
{
	struct field *f = arena_array(a, struct field, r->schema->n + 1);

	for (uint32_t i = 0; i < r->schema->n; i++)
		f[i] = (struct field){ .name = r->schema->names[i], .name_n = r->schema->name_n[i], .v = r->v[i] };
	return v_object(f, r->schema->n);
}

static struct value list_of(struct join_side *s, uint32_t group, struct arena *a)
{
	struct value *items;
	uint32_t n = 0;

	for (uint32_t at = join_side_first(s, group); at != JOIN_NONE; at = join_side_next(s, at))
		n++;
	items = arena_array(a, struct value, n + 1);
	n = 0;
	for (uint32_t at = join_side_first(s, group); at != JOIN_NONE; at = join_side_next(s, at))
		items[n++] = record_of(&s->rows[at], a);
	return v_list(items, n);
}

static const struct join_row *some_row(struct cogroup *c, uint32_t group)
{
	for (uint32_t i = 0; i < c->spec.n_sides; i++) {
		uint32_t at = join_side_first(&c->sides[i], group);

		if (at != JOIN_NONE)
			return &c->sides[i].rows[at];
	}
	BUG("a group without records");
}

static void fill_row(struct cogroup *c, struct value **v, uint32_t k, uint32_t group)
{
	const struct join_row *r = some_row(c, group);
	uint32_t at = 0;

	if (by_window(c)) {
		v[at++][k] = v_time(r->start);
		v[at++][k] = v_time(r->end);
	}
	for (uint32_t i = 0; i < c->spec.n_keys; i++)
		v[at++][k] = r->v[r->schema->n + i];
	for (uint32_t i = 0; i < c->spec.n_sides; i++)
		v[at++][k] = list_of(&c->sides[i], group, &c->op.arena);
}

/* A result's event time is the last instant of its window. */
static void put_hidden(struct cogroup *c, struct batch *b, struct column *cols)
{
	struct column *event = arena_new(b->arena, struct column);

	if (!by_window(c))
		return;
	*event = column_make(b->arena, T_TIME, b->n_rows);
	for (uint32_t k = 0; k < b->n_rows; k++)
		event->i[k] = cols[1].i[k] - 1;
	b->hidden[HIDDEN_EVENT] = event;
	b->hidden[HIDDEN_WINDOW_START] = &cols[0];
	b->hidden[HIDDEN_WINDOW_END] = &cols[1];
}

static int push_groups(struct cogroup *c, const uint32_t *groups, uint32_t n, struct err *e)
{
	uint32_t n_cols = c->schema->n;
	struct value **v;
	struct column *cols;
	struct batch b;

	arena_reset(&c->op.arena);
	v = arena_array(&c->op.arena, struct value *, n_cols);
	cols = arena_array(&c->op.arena, struct column, n_cols);
	for (uint32_t i = 0; i < n_cols; i++)
		v[i] = arena_array(&c->op.arena, struct value, n);
	for (uint32_t k = 0; k < n; k++)
		fill_row(c, v, k, groups[k]);
	for (uint32_t i = 0; i < n_cols; i++)
		cols[i] = column_tighten(&c->op.arena, v[i], NULL, n, n);
	b = (struct batch){ .schema = c->schema, .cols = cols, .n_rows = n, .n_sel = n, .arena = &c->op.arena };
	put_hidden(c, &b, cols);
	return op_push(&c->op, &b, e);
}

static int push_all(struct cogroup *c, const uint32_t *groups, uint32_t n, struct err *e)
{
	int verdict = 0;

	for (uint32_t at = 0; at < n && !verdict; at += batch_rows())
		verdict = push_groups(c, groups + at, n - at < batch_rows() ? n - at : batch_rows(), e);
	return verdict < 0 ? -1 : 0;
}

static bool is_placed(struct cogroup *c, uint32_t group)
{
	c->placed = xgrow(c->placed, &c->placed_cap, (size_t)group + 1, sizeof *c->placed);
	while (c->n_placed <= group)
		c->placed[c->n_placed++] = 0;
	return c->placed[group];
}

static void add_place(struct cogroup *c, const struct join_row *r, uint64_t order)
{
	c->places = xgrow(c->places, &c->places_cap, (size_t)c->n_places + 1, sizeof *c->places);
	c->placed[r->group] = order;
	if (by_window(c))
		expiries_add(&c->windows, (struct expiry){ r->end, r->start, c->n_places });
	c->places[c->n_places++] = (struct place){ r->group, order };
}

/* Groups of records of this micro-batch that have no place yet, port by port. */
static void place_new(struct cogroup *c)
{
	for (uint32_t i = 0; i < c->spec.n_sides; i++)
		for (uint32_t k = c->sides[i].fresh; k < c->sides[i].n; k++)
			if (!is_placed(c, c->sides[i].rows[k].group))
				add_place(c, &c->sides[i].rows[k], ++c->orders);
}

/* Without windows places are those of this micro-batch alone. */
static int emit_touched(struct cogroup *c, struct err *e)
{
	uint32_t *groups = xmalloc(((size_t)c->n_places + 1) * sizeof *groups);
	int r;

	for (uint32_t i = 0; i < c->n_places; i++)
		groups[i] = c->places[i].group;
	r = push_all(c, groups, c->n_places, e);
	free(groups);
	c->n_places = c->n_placed = 0;
	return r;
}

static void forget(struct cogroup *c, uint32_t group)
{
	for (uint32_t i = 0; i < c->spec.n_sides; i++)
		for (uint32_t at = join_side_first(&c->sides[i], group); at != JOIN_NONE; at = join_side_next(&c->sides[i], at))
			join_side_kill(&c->sides[i], at);
}

/* A group whose window is over. */
struct closing {
	int64_t end, start;
	uint64_t order;
	uint32_t group;
};

static int by_place(const void *x, const void *y)
{
	const struct closing *a = x, *b = y;

	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static struct closing *take_closing(struct cogroup *c, uint32_t *n)
{
	struct closing *out = NULL;
	size_t cap = 0;

	for (*n = 0; c->windows.n && c->windows.at[0].time <= c->op.watermark; expiries_pop(&c->windows)) {
		const struct expiry *x = &c->windows.at[0];
		const struct place *p = &c->places[x->id];

		out = xgrow(out, &cap, (size_t)*n + 1, sizeof *out);
		out[(*n)++] = (struct closing){ x->time, x->then, p->order, p->group };
	}
	if (*n && c->moved)
		qsort(out, *n, sizeof *out, by_place);
	return out;
}

static int close_windows(struct cogroup *c, struct err *e)
{
	uint32_t n, *groups;
	struct closing *all = take_closing(c, &n);
	int r;

	groups = xmalloc(((size_t)n + 1) * sizeof *groups);
	for (uint32_t i = 0; i < n; i++)
		groups[i] = all[i].group;
	r = n ? push_all(c, groups, n, e) : 0;
	for (uint32_t i = 0; i < n; i++)
		forget(c, groups[i]);
	free(groups);
	free(all);
	return r;
}

static void mark_groups(const struct join_side *s, uint32_t *map)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (!s->rows[i].dead)
			map[s->rows[i].group] = 0;
}

static void rename_places(struct cogroup *c, const uint32_t *map)
{
	uint32_t *names = xmalloc(((size_t)c->n_places + 1) * sizeof *names), n = 0;

	for (uint32_t i = 0; i < c->n_places; i++) {
		uint32_t group = map[c->places[i].group];

		names[i] = group == JOIN_NONE ? JOIN_NONE : n;
		if (group != JOIN_NONE)
			c->places[n++] = (struct place){ group, c->places[i].order };
	}
	c->n_places = n;
	c->n_placed = 0;
	for (uint32_t i = 0; i < n; i++) {
		is_placed(c, c->places[i].group);
		c->placed[c->places[i].group] = c->places[i].order;
	}
	expiries_rename(&c->windows, names);
	free(names);
}

/* Closed windows leave the table. */
static void rebuild(struct cogroup *c)
{
	uint32_t *map = xmalloc(((size_t)c->keys.n + 1) * sizeof *map);
	struct keytab fresh;

	memset(map, 0xFF, ((size_t)c->keys.n + 1) * sizeof *map);
	for (uint32_t i = 0; i < c->spec.n_sides; i++)
		mark_groups(&c->sides[i], map);
	keytab_init(&fresh);
	for (uint32_t g = 0; g < c->keys.n; g++) {
		struct key_bytes key;

		if (map[g])
			continue;
		keytab_key(&c->keys, g, &key);
		keytab_put(&fresh, &key, 1, &map[g]);
	}
	keytab_release(&c->keys);
	c->keys = fresh;
	for (uint32_t i = 0; i < c->spec.n_sides; i++)
		join_side_rebuild(&c->sides[i], map, NULL);
	rename_places(c, map);
	free(map);
}

static bool is_worn(const struct cogroup *c)
{
	for (uint32_t i = 0; i < c->spec.n_sides; i++)
		if (join_side_worn(&c->sides[i]))
			return true;
	return false;
}

static void clear(struct cogroup *c)
{
	keytab_clear(&c->keys);
	for (uint32_t i = 0; i < c->spec.n_sides; i++)
		join_side_clear(&c->sides[i]);
}

static int cogroup_batch_end(struct op *op, struct err *e)
{
	struct cogroup *c = (struct cogroup *)op;

	if (join_away_return(&c->away, e))
		return -1;
	place_new(c);
	if (by_window(c) ? close_windows(c, e) : emit_touched(c, e))
		return -1;
	if (c->spec.scope == JOIN_BATCH)
		clear(c);
	else if (is_worn(c))
		rebuild(c);
	for (uint32_t i = 0; i < c->spec.n_sides; i++)
		c->sides[i].fresh = c->sides[i].n;
	join_away_settle(&c->away);
	return 0;
}

/* ---- keys that are away ---- */

static int64_t due_of(const struct op *op, const struct join_row *row)
{
	return by_window((const struct cogroup *)op) ? row->end : INT64_MAX;
}

/* The group has its place again. */
static void came(struct op *op, const struct join_row *row, uint64_t order)
{
	struct cogroup *c = (struct cogroup *)op;

	if (!by_window(c) || is_placed(c, row->group))
		return;
	add_place(c, row, order);
	c->moved = true;
}

/* Behind a commit: rows of keys that rest are in their entries. */
static void leave(struct cogroup *c, struct keeper *to)
{
	const struct run *run = c->op.run;

	if (!run->mem_max || !run->fetch || c->spec.scope == JOIN_BATCH || !join_away_leave(&c->away, to))
		return;
	rebuild(c);
	for (uint32_t i = 0; i < c->spec.n_sides; i++)
		c->sides[i].fresh = c->sides[i].n;
	join_away_settle(&c->away);
	c->away.leave_at = (op_memory(&c->op) - join_away_memory(&c->away) + keytab_leap(&c->keys)) / 8 * 9;
}

/* ---- what survives a restart: the rows (join_keep.c), with the order of their group's place ---- */

static void cogroup_commit(struct op *op, struct keeper *to)
{
	struct cogroup *c = (struct cogroup *)op;

	join_away_commit(&c->away, to);
	for (uint32_t i = 0; i < c->spec.n_sides && c->spec.scope != JOIN_BATCH; i++)
		join_side_commit(&c->sides[i], &c->keys, by_window(c) ? c->placed : NULL, to);
	leave(c, to);
}

static int by_order(const void *x, const void *y, void *ctx)
{
	const struct cogroup *c = ctx;
	uint64_t a = c->placed[*(const uint32_t *)x], b = c->placed[*(const uint32_t *)y];

	return a < b ? -1 : a > b;
}

/* Places in the order they had. */
static void restore_places(struct cogroup *c)
{
	uint32_t *groups = xmalloc(((size_t)c->keys.n + 1) * sizeof *groups), n = 0;

	for (uint32_t g = 0; g < c->keys.n; g++)
		if (is_placed(c, g))
			groups[n++] = g;
	qsort_r(groups, n, sizeof *groups, by_order, c);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t order = c->placed[groups[i]];

		add_place(c, some_row(c, groups[i]), order);
		c->orders = order > c->orders ? order : c->orders;
	}
	free(groups);
}

static int restored(struct cogroup *c)
{
	for (uint32_t i = 0; i < c->spec.n_sides; i++)
		if (join_side_loaded(&c->sides[i]))
			return -1;
	if (by_window(c))
		restore_places(c);
	join_away_loaded(&c->away);
	join_away_settle(&c->away);
	return 0;
}

/* An entry of a key that is away: 1, 0 when it is not, or -1. */
static int restore_away(struct cogroup *c, const struct kept_entry *entry)
{
	int is = join_away_load(&c->away, entry);
	uint64_t order = 0;

	if (is > 0 && *entry->key == 'r' && join_side_order(entry, &order))
		return -1;
	if (by_window(c) && order > c->orders)
		c->orders = order;
	return is;
}

static int restore_row(struct cogroup *c, const struct kept_entry *entry)
{
	struct join_loading rows = { .sides = c->sides, .n = c->spec.n_sides, .n_extra = c->spec.n_keys, .keys = &c->keys };
	int away = restore_away(c, entry);

	if (away)
		return away < 0 ? -1 : 0;
	if (join_side_load(&rows, entry) || (by_window(c) && !rows.order))
		return -1;
	if (!by_window(c))
		return 0;
	is_placed(c, rows.group);
	c->placed[rows.group] = rows.order;
	return 0;
}

static int cogroup_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct cogroup *c = (struct cogroup *)op;
	struct kept_entry entry = { key, value, key_n, n, mark };

	return (key ? restore_row(c, &entry) : restored(c)) ? keep_refuse(op, e) : 0;
}

static bool cogroup_holds(const struct op *op)
{
	const struct cogroup *c = (const struct cogroup *)op;

	return c->windows.n || (by_window(c) && c->away.away.n);
}

static size_t cogroup_memory(const struct op *op)
{
	const struct cogroup *c = (const struct cogroup *)op;
	size_t n = keytab_memory(&c->keys) + expiries_memory(&c->windows) + join_away_memory(&c->away);

	for (uint32_t i = 0; i < c->spec.n_sides; i++)
		n += join_side_memory(&c->sides[i]);
	return n;
}

static void cogroup_free(struct op *op)
{
	struct cogroup *c = (struct cogroup *)op;

	for (uint32_t i = 0; i < c->spec.n_sides * c->spec.n_keys; i++)
		expr_release(c->spec.keys[i]);
	for (uint32_t i = 0; i < c->spec.n_sides; i++)
		join_side_release(&c->sides[i]);
	free(c->sides);
	keytab_release(&c->keys);
	expiries_release(&c->windows);
	join_away_release(&c->away);
	free(c->places);
	free(c->placed);
}

static const struct op_class cogroup_class = {
	.name = "cogroup",
	.leaves = true,
	.makes_fields = true,
	.counters = { "taken", "late", "no-time" },
	.process = cogroup_process,
	.on_batch_end = cogroup_batch_end,
	.free = cogroup_free,
	.memory = cogroup_memory,
	.holds = cogroup_holds,
	.commit = cogroup_commit,
	.restore = cogroup_restore,
};

static const struct schema *make_schema(const struct cogroup_spec *s, struct arena *a)
{
	uint32_t n = 0, most = 2 + s->n_keys + s->n_sides;
	const char **names = arena_array(a, const char *, most);
	uint32_t *len = arena_array(a, uint32_t, most);

	if (s->scope == JOIN_WINDOW) {
		names[n++] = "window_start";
		names[n++] = "window_end";
	}
	for (uint32_t i = 0; i < s->n_keys; i++)
		names[n++] = s->key_names[i];
	for (uint32_t i = 0; i < s->n_sides; i++)
		names[n++] = s->labels[i];
	for (uint32_t i = 0; i < n; i++)
		len[i] = (uint32_t)strlen(names[i]);
	return schema_intern(names, len, n);
}

struct op *op_cogroup(struct run *run, int stage, const char *word, const struct cogroup_spec *spec)
{
	struct cogroup *c = op_make(&cogroup_class, sizeof *c, run, stage, word);

	c->spec = *spec;
	c->sides = xcalloc(spec->n_sides, sizeof *c->sides);
	for (uint32_t i = 0; i < spec->n_sides; i++) {
		c->sides[i].number = i;
		c->sides[i].kept.durable = spec->scope == JOIN_BATCH ? NULL : &run->durable;
	}
	c->schema = make_schema(spec, &c->op.arena);
	keytab_init(&c->keys);
	c->op.stays = spec->scope == JOIN_BATCH;
	c->away.op = &c->op;
	c->away.keys = &c->keys;
	c->away.side = c->sides;
	c->away.n_sides = (int)spec->n_sides;
	c->away.n_extra = spec->n_keys;
	c->away.due = due_of;
	c->away.came = came;
	join_away_init(&c->away);
	return &c->op;
}
