/* Keyed state as bytes, for checkpoints, and its first state.
 *
 * key    its values (value_save)
 * value  birth varint | flags u8 | with STATE_AGED the last record's clock i64 | timers i64 each | variables (value_save), all little-endian */
#include "op/state_impl.h"

#define KEPT_FLAGS (STATE_READY | STATE_HOLDS | STATE_AGED)

static int get_value(struct bytes_in *in, struct arena *a, struct value *v)
{
	return in->bad ? -1 : value_load(&in->p, in->end, a, v);
}

void state_save_value(const struct state_table *t, uint32_t key, struct buf *b)
{
	const struct state_cell *cells = state_table_cells(t, key);

	put_varint(b, t->meta[key].birth);
	buf_char(b, (char)(t->meta[key].flags & KEPT_FLAGS));
	if (t->meta[key].flags & STATE_AGED)
		keep_int(b, t->ages[key].last);
	for (uint32_t i = 0; i < t->shape.n_slots; i++)
		keep_int(b, cells[i].at);
	for (uint32_t i = 0; i < t->shape.n_vars; i++)
		value_save(b, &state_table_vars(t, key)[i]);
}

static void save_one(struct state_op *s, uint32_t at, struct keeper *k, struct buf *key, struct buf *value)
{
	uint32_t *mark = &s->table.groups.table.entries[at].user;
	bool there = state_table_has(&s->table, at);

	if (!there && !*mark)
		return;
	key->n = value->n = 0;
	groups_save(&s->table.groups, at, key);
	if (there) {
		state_save_value(&s->table, at, value);
		k->put(k, key->p, key->n, value->p, value->n, mark);
		return;
	}
	k->drop(k, key->p, key->n, mark);
	*mark = 0;
}

void state_respell(struct state_op *s, uint32_t key, const struct column *const *cols, uint32_t row)
{
	uint32_t *mark = &s->table.groups.table.entries[key].user;
	struct buf old = { 0 };

	if (*mark) {
		groups_save(&s->table.groups, key, &old);
		keep_gone_add(&s->gone, old.p, old.n, *mark);
		*mark = 0;
	}
	groups_respell(&s->table.groups, key, cols, row);
	buf_release(&old);
}

/* Changed keys ahead that are fetched from memory. */
#define AHEAD 12

void state_commit(struct op *op, struct keeper *k)
{
	struct state_op *s = (struct state_op *)op;
	struct buf key = { 0 }, value = { 0 };

	keep_gone_commit(&s->gone, k);
	for (size_t i = 0; i < s->table.n_changed; i++) {
		if (i + AHEAD < s->table.n_changed) {
			groups_prefetch(&s->table.groups, s->table.changed[i + AHEAD]);
			state_table_prefetch(&s->table, s->table.changed[i + AHEAD]);
		}
		save_one(s, s->table.changed[i], k, &key, &value);
	}
	buf_release(&key);
	buf_release(&value);
	state_table_forget_changes(&s->table);
}

/* The key's values as columns of one row, in the arena. */
static const struct column **load_columns(const struct state_op *s, struct bytes_in from, struct arena *a)
{
	uint32_t n = s->table.shape.n_keys;
	struct column *cols = arena_array(a, struct column, n);
	const struct column **at = arena_array(a, const struct column *, n);

	for (uint32_t c = 0; c < n; c++) {
		struct value v;

		if (get_value(&from, a, &v) || v.type == T_ANY || v.type == T_REGEX)
			return NULL;
		cols[c] = column_const(a, &v);
		at[c] = &cols[c];
	}
	return keep_over(&from) ? at : NULL;
}

int state_load_key(struct state_op *s, const char *key, size_t n, uint32_t *at, bool *is_new)
{
	const struct column **cols = load_columns(s, (struct bytes_in){ key, key + n, false }, &s->op.arena);
	uint32_t before = s->table.n;

	if (!cols)
		return -1;
	state_table_put(&s->table, &s->op.arena, cols, NULL, 1, at);
	*is_new = s->table.n > before;
	return 0;
}

int state_knows_key(struct state_op *s, const char *key, size_t n)
{
	struct arena a = { 0 };
	const struct column **cols = load_columns(s, (struct bytes_in){ key, key + n, false }, &a);
	struct key_bytes bytes;
	int r = -1;

	if (cols) {
		key_of_columns(&a, cols, s->table.shape.n_keys, NULL, 1, &bytes);
		r = keytab_find(&s->table.groups.table, &bytes) != KEYTAB_NONE;
	}
	arena_release(&a);
	return r;
}

/* ---- what it waits for ---- */

int64_t state_over(const struct state_op *s, int64_t last)
{
	int64_t over;

	return __builtin_add_overflow(last, s->rules.ttl_ns, &over) ? TIMER_NONE : over;
}

void state_waits_add(const struct state_op *s, uint32_t slot, int64_t at, struct state_waits *w)
{
	const struct state_shape *shape = &s->table.shape;
	int64_t *first = &w->at[shape->event[slot]];

	if (at == TIMER_NONE)
		return;
	*first = at < *first ? at : *first;
	w->n_set[slot == shape->close ? STATE_CLOSE : shape->event[slot]]++;
}

int state_waits_saved(const struct state_op *s, const char *value, size_t n, struct state_waits *w)
{
	struct bytes_in in = { value, value + n, false };
	uint8_t flags;

	*w = (struct state_waits){ { TIMER_NONE, TIMER_NONE }, TIMER_NONE, { 0 } };
	get_varint(&in); /* birth */
	flags = (uint8_t)get_le(&in, 1);
	if (flags & STATE_AGED)
		w->over = state_over(s, keep_get_int(&in));
	for (uint32_t i = 0; i < s->table.shape.n_slots && !in.bad; i++)
		state_waits_add(s, i, keep_get_int(&in), w);
	return in.bad ? -1 : 0;
}

static void load_timers(struct state_table *t, uint32_t key, struct bytes_in *in)
{
	for (uint32_t i = 0; i < t->shape.n_slots; i++) {
		int64_t at = keep_get_int(in);

		if (!in->bad)
			state_table_timer(t, key, i, at, 0);
	}
}

static int load_vars(struct state_op *s, uint32_t key, struct bytes_in *in)
{
	struct value v;

	for (uint32_t i = 0; i < s->rules.n_vars; i++) {
		if (get_value(in, &s->op.arena, &v))
			return -1;
		state_table_set(&s->table, key, i, &v);
	}
	return keep_over(in) ? 0 : -1;
}

static int load_value(struct state_op *s, uint32_t key, struct bytes_in in)
{
	struct state_table *t = &s->table;
	uint64_t birth = get_varint(&in);
	uint8_t flags = (uint8_t)get_le(&in, 1);
	int64_t last = flags & STATE_AGED ? keep_get_int(&in) : 0;

	if (in.bad || !birth || birth >> 56 || flags & ~KEPT_FLAGS)
		return -1;
	state_table_revive(t, key, birth);
	t->meta[key].flags |= flags & (STATE_READY | STATE_HOLDS);
	if (flags & STATE_AGED)
		state_table_touch(t, key, last);
	load_timers(t, key, &in);
	return load_vars(s, key, &in);
}

int state_load_value(struct state_op *s, uint32_t key, const char *value, size_t n, uint32_t mark)
{
	struct state_table *t = &s->table;
	size_t changed = t->n_changed;

	if (load_value(s, key, (struct bytes_in){ value, value + n, false }))
		return -1;
	if (t->n_changed > changed) { /* its timers are what they were */
		t->n_changed = changed;
		t->meta[key].flags &= ~STATE_CHANGED;
	}
	s->table.groups.table.entries[key].user = mark;
	return 0;
}

/* What the checkpoint holds stands in for a first state. */
static void restore_begin(struct state_op *s)
{
	struct state_shape shape = s->table.shape;

	if (s->restored)
		return;
	s->restored = true;
	s->starts = false;
	state_table_release(&s->table);
	state_table_init(&s->table, &shape);
}

int state_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct state_op *s = (struct state_op *)op;
	bool is_new;
	uint32_t at;
	int r = 0;

	restore_begin(s);
	if (key) {
		r = state_load_key(s, key, key_n, &at, &is_new) || !is_new || state_load_value(s, at, value, n, mark);
		s->table.ages_mixed = s->table.shape.ages;
	}
	arena_reset(&op->arena);
	valuepool_settle(&s->table.pool);
	state_table_forget_changes(&s->table);
	state_leave(s);
	s->watermark = op->watermark;
	return r ? err_set(e, ERR_IO, "stage %d: %s: an entry of the checkpoint that it did not write", op->stage, op->word) : 0;
}

/* ---- the first state ---- */

static struct column column_named(const struct batch *b, const char *name)
{
	int at = schema_find(b->schema, name, strlen(name));

	return at < 0 ? (struct column){ .type = T_NULL, .constant = true, .has_null = true } : b->cols[at];
}

static const char *source_of(const struct batch *b) { return b->origin.source ? b->origin.source : "-"; }

static unsigned long long line_of(const struct batch *b, uint32_t row)
{
	return b->origin.line_base + (b->origin.line ? b->origin.line[row] : row);
}

static int no_field(const struct batch *b, const char *name, const char *what, struct err *e)
{
	if (!b->n_sel || schema_find(b->schema, name, strlen(name)) >= 0)
		return 0;
	return err_set(e, ERR_USAGE, "%s:%llu: has no field \"%s\", which is %s of the state", source_of(b), line_of(b, b->sel ? b->sel[0] : 0),
		       name, what);
}

static int check_fields(const struct state_rules *r, const struct batch *b, struct err *e)
{
	for (uint32_t k = 0; k < r->n_keys; k++)
		if (no_field(b, r->key_names[k], "a key", e))
			return -1;
	for (uint32_t k = 0; k < r->n_vars; k++)
		if (schema_find(b->schema, r->var_names[k], strlen(r->var_names[k])) >= 0)
			return 0;
	return r->n_vars ? no_field(b, r->var_names[0], "a variable", e) : 0;
}

/* A variable that the file does not give has its first value. */
static void start_key(struct state_op *s, uint32_t key, const struct column *vars, uint32_t row)
{
	state_table_wake(&s->table, key);
	state_table_touch(&s->table, key, s->op.run->now); /* until time begins */
	s->key = key;
	state_enter(s);
	s->table.meta[key].flags |= STATE_HOLDS;
	for (uint32_t k = 0; k < s->rules.n_vars; k++) {
		struct value v = column_get(&vars[k], row);

		if (v.type != T_NULL)
			state_table_set(&s->table, key, k, &v);
	}
}

static int twice(const struct batch *b, uint32_t row, struct err *e)
{
	err_set(e, ERR_IO, "%s:%llu: a key that has its state from a line before", source_of(b), line_of(b, row));
	return err_hint(e, "each key stands once in the state to begin with");
}

int op_state_start(struct op *op, const struct batch *b, struct err *e)
{
	struct state_op *s = (struct state_op *)op;
	const struct state_rules *r = &s->rules;
	uint32_t *key = arena_array(b->arena, uint32_t, b->n_sel + 1);
	struct column *cols = arena_array(b->arena, struct column, r->n_keys + 1),
		      *vars = arena_array(b->arena, struct column, r->n_vars + 1);
	const struct column **at = arena_array(b->arena, const struct column *, r->n_keys + 1);

	if (check_fields(r, b, e))
		return -1;
	for (uint32_t k = 0; k <= r->n_keys; k++) {
		cols[k] = k < r->n_keys ? column_named(b, r->key_names[k]) : (struct column){ .type = T_NULL, .constant = true };
		at[k] = &cols[k];
	}
	for (uint32_t k = 0; k < r->n_vars; k++)
		vars[k] = column_named(b, r->var_names[k]);
	state_table_put(&s->table, b->arena, at, b->sel, b->n_sel, key);
	BATCH_EACH(b->sel, b->n_sel, i) {
		if (s->table.meta[key[k_]].flags & STATE_HOLDS)
			return twice(b, i, e);
		start_key(s, key[k_], vars, i);
	}
	s->starts = true;
	valuepool_settle(&s->table.pool);
	return op_check_memory(op, s->table.n_live, e);
}
