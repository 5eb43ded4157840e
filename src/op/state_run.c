/* The rules of `state` at work: statements over the variables of one key, and what they emit. */
#include "expr/rowop.h"
#include "op/event_time.h"
#include "op/state_impl.h"

static struct value eval(struct state_op *s, struct expr *x)
{
	return expr_eval_row(x, &s->op.eval, s->b, s->row, s->frame, &s->op.arena);
}

static void count_failure(struct state_op *s, const char *what, const char *why)
{
	fails_add(&s->op.fails, what, why, s->b ? &s->b->origin : NULL, s->row);
}

/* ---- variables ---- */

bool state_enter(struct state_op *s)
{
	struct state_meta *m = &s->table.meta[s->key];
	struct value *vars = state_table_vars(&s->table, s->key);
	bool fresh = !(m->flags & STATE_READY);

	if (s->rules.n_vars)
		memcpy(s->frame, vars, s->rules.n_vars * sizeof *vars);
	if (!fresh)
		return false;
	for (uint32_t i = 0; i < s->rules.n_vars; i++) {
		struct value v;

		if (!s->rules.first[i])
			continue;
		v = eval(s, s->rules.first[i]);
		state_table_set(&s->table, s->key, i, &v);
		s->frame[i] = vars[i];
	}
	m->flags |= STATE_READY;
	return true;
}

static bool is_plain(const struct value *v) { return v->type <= T_DUR; }

static void set(struct state_op *s, uint32_t var, const struct value *v)
{
	struct state_meta *m = &s->table.meta[s->key];
	struct value *to = &state_table_vars(&s->table, s->key)[var];

	if (m->flags & STATE_HOLDS && is_plain(v) && v->type == to->type && (v->type == T_NULL || v->i == to->i))
		return;
	state_table_wake(&s->table, s->key);
	m->flags |= STATE_READY | STATE_HOLDS;
	state_table_note_change(&s->table, s->key);
	state_table_set(&s->table, s->key, var, v);
	s->frame[var] = *to;
}

/* What a sum begins with: a number, a time or a duration. */
static struct value first_summand(const struct value *v, const char **why)
{
	struct num n;

	if (v->type == T_TIME || v->type == T_DUR)
		return *v;
	if (value_num(v, &n) != NUM_NOT)
		return value_from_num(&n);
	*why = v->type == T_STR ? "text, not a number: use number()" : "not a number";
	return v_null();
}

/* += and ++=: false, and the variable stays as it is, where there is nothing to add or it cannot be added. */
static bool combine(struct state_op *s, const struct state_stmt *st, const struct value *old, struct value *v)
{
	const char *why = NULL;

	if (v->type == T_NULL)
		return false;
	if (st->op == ASSIGN_ADD)
		*v = old->type == T_NULL ? first_summand(v, &why) : rowop_arith(OP_ADD, old, v, s->op.eval.env, &why);
	else if (old->type != T_NULL)
		*v = rowop_concat(old, v, s->op.eval.env, &s->op.arena, &why);
	if (why)
		count_failure(s, st->op == ASSIGN_ADD ? "+=" : "++=", why);
	return !why;
}

static void assign(struct state_op *s, const struct state_stmt *st)
{
	const struct value *old = &s->frame[st->target];
	struct value v;

	if (st->op == ASSIGN_DEFAULT && old->type != T_NULL)
		return;
	v = eval(s, st->expr);
	if ((st->op == ASSIGN_ADD || st->op == ASSIGN_CONCAT) && !combine(s, st, old, &v))
		return;
	set(s, st->target, &v);
}

static void forget(struct state_op *s)
{
	if (state_table_has(&s->table, s->key))
		state_table_note_change(&s->table, s->key);
	state_table_clear(&s->table, s->key);
	state_enter(s);
	s->table.meta[s->key].flags &= ~STATE_READY;
}

/* ---- timers ---- */

static int64_t add_clamped(int64_t a, int64_t b)
{
	int64_t r;

	if (__builtin_add_overflow(a, b, &r))
		return b < 0 ? INT64_MIN : INT64_MAX - 1;
	return r == INT64_MAX ? r - 1 : r;
}

static bool as_duration(const struct value *v, int64_t *d)
{
	int64_t months = 0;

	*d = v->i;
	return v->type == T_DUR || (type_is_bytes(v->type) && dur_parse(v->s, v->n, d, &months) && !months);
}

/* When it fires, if that can be told of the value. */
static bool timer_time(struct state_op *s, const struct state_stmt *st, int64_t *at)
{
	struct value v = eval(s, st->expr);

	if (v.type == T_NULL)
		return false;
	if (st->absolute ? value_is_time(&v, s->op.eval.env, at) : as_duration(&v, at)) {
		*at = add_clamped(st->absolute ? 0 : s->op.run->now, *at);
		return true;
	}
	count_failure(s, "timeout", st->absolute ? "not a time" : "not a duration");
	return false;
}

static int too_long(struct state_op *s, const struct state_timer *t)
{
	err_set(s->e, ERR_IO, "stage %d: %s: a timeout%s%s sets itself anew without end: %d times in one micro-batch",
		s->op.stage, s->op.word, t->name ? " " : "", t->name ? t->name : "", STATE_CHAIN_MAX);
	return err_hint(s->e, "at the end of the input every timeout in event time is due: set it anew under a condition only");
}

/* A window's timers fire before it closes. */
static int64_t within_window(const struct state_op *s, int64_t at)
{
	uint32_t close = s->table.shape.close;
	int64_t end = close == STATE_NO_SLOT ? TIMER_NONE : state_table_cells(&s->table, s->key)[close].at;

	return at < end ? at : end;
}

/* In event time, where one that is set anew may be due at once: its time has come already. */
static bool has_fired(const struct state_op *s, uint32_t slot, int64_t at)
{
	return s->firing && s->firing->slot == slot && at <= s->firing->at;
}

static int set_timer(struct state_op *s, const struct state_stmt *st)
{
	const uint32_t *slots = s->slots[st->target];
	bool event = st->absolute && slots[1] != STATE_NO_SLOT;
	uint32_t chain = 0;
	int64_t at = TIMER_NONE;

	if (st->expr && !timer_time(s, st, &at))
		return 0;
	if (at != TIMER_NONE) {
		state_table_wake(&s->table, s->key);
		at = event ? within_window(s, at) : at;
		if (event && has_fired(s, slots[1], at))
			at = TIMER_NONE;
		chain = at < s->until[event] ? s->chain + 1 : 0;
	}
	for (int k = 0; k < 2; k++)
		if (slots[k] != STATE_NO_SLOT)
			state_table_timer(&s->table, s->key, slots[k], k == event ? at : TIMER_NONE, chain);
	return chain > STATE_CHAIN_MAX ? too_long(s, &s->rules.timers[st->target]) : 0;
}

/* ---- output ---- */

static void emit_schema(struct state_op *s, struct state_emit *em)
{
	uint32_t *lens;

	if (em->layout) {
		project_layout(em->layout, s->b->schema);
		em->schema = em->layout->to;
	}
	if (em->schema)
		return;
	lens = arena_array(&s->op.arena, uint32_t, em->n + 1);
	for (uint32_t i = 0; i < em->n; i++)
		lens[i] = (uint32_t)strlen(em->names[i]);
	em->schema = schema_intern(em->names, lens, em->n);
}

/* Items are values of the frame; later ones see earlier ones. */
static void emit_items(struct state_op *s, const struct state_emit *em)
{
	struct value *items = s->frame + frame_item(s);

	for (uint32_t i = 0; i < em->n; i++)
		if (em->exprs[i] || !em->layout)
			items[i] = em->exprs[i] ? eval(s, em->exprs[i]) : s->frame[em->places[i]];
}

static struct value emitted_value(const struct state_op *s, const struct state_emit *em, uint32_t c)
{
	int32_t from = em->layout ? em->layout->source[c] : -1 - (int32_t)c;

	return from >= 0 ? column_get(&s->b->cols[from], s->row) : s->frame[frame_item(s) + (uint32_t)(-1 - from)];
}

static int emit(struct state_op *s, struct state_emit *em)
{
	struct emitted row = { .row = s->row };

	emit_schema(s, em);
	if ((s->out.schema != em->schema || s->out.n >= batch_rows()) && state_push(s))
		return -1;
	emit_items(s, em);
	s->out.schema = em->schema;
	row.v = arena_array(&s->op.arena, struct value, em->schema->n + 1);
	for (uint32_t c = 0; c < em->schema->n; c++)
		row.v[c] = emitted_value(s, em, c);
	if (!s->b) {
		row.hidden = arena_array(&s->op.arena, struct value, HIDDEN_OWN);
		memcpy(row.hidden, s->hidden, sizeof s->hidden);
	}
	s->out.at = xgrow(s->out.at, &s->out.cap, s->out.n + 1, sizeof *s->out.at);
	s->out.at[s->out.n++] = row;
	return 0;
}

static void gather_record_parts(struct state_op *s, struct batch *out)
{
	uint32_t *rows = arena_array(out->arena, uint32_t, out->n_rows + 1),
		 *line = arena_array(out->arena, uint32_t, out->n_rows + 1);

	for (uint32_t i = 0; i < out->n_rows; i++) {
		rows[i] = s->out.at[i].row;
		line[i] = s->b->origin.line ? s->b->origin.line[rows[i]] : rows[i];
	}
	batch_gather_hidden(out, s->b, rows, out->n_rows);
	out->input = s->b->input;
	out->origin = s->b->origin;
	out->origin.line = line;
}

static void own_parts(struct state_op *s, struct batch *out)
{
	for (int h = 0; h < HIDDEN_OWN; h++) {
		struct value *v = arena_array(out->arena, struct value, out->n_rows + 1);
		struct column *c = arena_array(out->arena, struct column, 1);

		for (uint32_t i = 0; i < out->n_rows; i++)
			v[i] = s->out.at[i].hidden[h];
		*c = column_tighten(out->arena, v, NULL, out->n_rows, out->n_rows);
		if (c->type == T_TIME)
			out->hidden[h] = c;
	}
}

static int push_rows(struct state_op *s, uint32_t n)
{
	struct arena *a = &s->op.arena;
	struct column *cols = arena_array(a, struct column, s->out.schema->n + 1);
	struct batch out = { .schema = s->out.schema, .cols = cols, .n_rows = n, .n_sel = n, .arena = a };

	for (uint32_t c = 0; c < out.schema->n; c++) {
		struct value *v = arena_array(a, struct value, n + 1);

		for (uint32_t i = 0; i < n; i++)
			v[i] = s->out.at[i].v[c];
		cols[c] = column_tighten(a, v, NULL, n, n);
	}
	if (s->out.at[0].hidden)
		own_parts(s, &out);
	else
		gather_record_parts(s, &out);
	s->verdict = op_push(&s->op, &out, s->e);
	return s->verdict < 0 ? -1 : 0;
}

int state_push(struct state_op *s)
{
	uint32_t n = s->out.n;

	s->out.n = 0;
	return n ? push_rows(s, n) : 0;
}

int state_flush(struct state_op *s)
{
	int r = state_push(s);

	arena_reset(&s->op.arena);
	valuepool_settle(&s->table.pool);
	return r;
}

bool state_is_full(const struct state_op *s)
{
	return s->out.n >= batch_rows() || s->op.arena.total > STATE_SCRATCH_MAX ||
	       s->table.pool.retired_bytes > STATE_SCRATCH_MAX;
}

/* ---- statements ---- */

static int branch(struct state_op *s, const struct state_stmt *st)
{
	struct value v = eval(s, st->expr);
	int t = value_truth(&v);

	if (t < 0 && v.type != T_NULL)
		count_failure(s, "if", "not true or false");
	return state_run(s, t == 1 ? &st->then : &st->other);
}

int state_run(struct state_op *s, const struct state_block *b)
{
	int r = 0;

	for (uint32_t i = 0; i < b->n && !r; i++) {
		const struct state_stmt *st = &b->at[i];

		switch (st->kind) {
		case ST_ASSIGN:
			assign(s, st);
			break;
		case ST_IF:
			r = branch(s, st);
			break;
		case ST_EMIT:
			r = emit(s, st->emit);
			break;
		case ST_REMOVE:
			forget(s);
			break;
		default:
			r = set_timer(s, st);
		}
	}
	return r;
}
