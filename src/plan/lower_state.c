/* Lowering of `state`: names become places in the frame of values that rules work on, and what hangs on records alone becomes
 * columns. */
#include "codec/codec.h"
#include "io/blocks.h"
#include "plan/lower.h"
#include "plan/state_spec.h"

struct lowering {
	const struct plan *p;
	const struct plan_node *n;
	const struct lower_opts *o;
	struct state_spec *s;
	struct state_rules *r;
	struct arena *a;
	const char **names; /* places of the frame: variables, keys, columns */
	uint32_t n_names;
	struct node **columns; /* by column */
	size_t exprs_cap;
	struct err *e;
};

/* ---- columns: what rules compute from the record alone, whatever the state, on every record ---- */

static bool is_state_name(const struct lowering *l, const char *dotted)
{
	for (uint32_t i = 0; i < l->s->n_names; i++) {
		size_t n = strlen(l->s->names[i]);

		if (!strncmp(dotted, l->s->names[i], n) && (!dotted[n] || dotted[n] == '.'))
			return true;
	}
	return false;
}

/* Calls whose value is not the record's alone, and what is no call of a function. */
static int stays(struct node *n, void *ctx)
{
	const struct fn_def *fn = n->kind == N_CALL ? fn_find(n->name) : NULL;

	(void)ctx;
	if (n->kind == N_SPECIAL)
		return !strcmp(n->name, "records");
	return n->kind == N_CALL && (!fn || fn->flags & FN_VOLATILE);
}

static bool is_column(const struct lowering *l, struct node *n)
{
	struct field_set f = { .arena = l->a };

	if (n->kind == N_LIT || n->kind == N_SPECIAL || n->kind == N_FIELD || n->kind == N_MEMBER || node_walk(n, stays, NULL))
		return false;
	node_fields(n, NULL, 0, &f);
	for (uint32_t i = 0; i < f.n; i++)
		if (is_state_name(l, f.names[i]))
			return false;
	return f.n || f.all;
}

static struct node *add_column(struct lowering *l, struct node *n)
{
	struct node *x = arena_new(l->a, struct node);
	struct node **columns = arena_array(l->a, struct node *, l->r->n_columns + 1);

	if (l->r->n_columns)
		memcpy(columns, l->columns, l->r->n_columns * sizeof *columns);
	x->kind = N_FIELD;
	x->pos = n->pos;
	x->height = 1;
	x->name = arena_printf(l->a, "@%u", l->r->n_columns);
	x->name_n = (uint32_t)strlen(x->name);
	l->columns = columns;
	l->columns[l->r->n_columns++] = n;
	return x;
}

/* Is the kid evaluated whenever its parent is? */
static bool always_evaluated(const struct node *n, uint32_t kid)
{
	if (node_is_lambda(n))
		return kid == 1;
	if (n->kind == N_BINARY && (n->op == OP_AND || n->op == OP_OR || n->op == OP_NULL_OR))
		return kid == 0;
	return kid == 0 || !(n->kind == N_COND || (n->kind == N_CALL && !strcmp(n->name, "if")));
}

/* The tree with its largest parts that are columns replaced. */
static struct node *split_columns(struct lowering *l, struct node *n)
{
	struct node *x;

	if (is_column(l, n))
		return add_column(l, n);
	if (!n->n_kids || n->kind == N_MEMBER)
		return n;
	x = arena_new(l->a, struct node);
	*x = *n;
	x->kids = arena_array(l->a, struct node *, n->n_kids);
	for (uint32_t k = 0; k < n->n_kids; k++)
		x->kids[k] = always_evaluated(n, k) ? split_columns(l, n->kids[k]) : n->kids[k];
	return x;
}

/* Does the tree read a name that an item in front of it makes? */
static bool reads_items(const struct lowering *l, const struct items *items, uint32_t n, struct node *x)
{
	struct field_set f = { .arena = l->a };

	node_fields(x, NULL, 0, &f);
	for (uint32_t i = 0; i < f.n; i++)
		for (uint32_t k = 0; k < n; k++)
			if (!strncmp(f.names[i], items->at[k].name, strlen(items->at[k].name)))
				return true;
	return false;
}

static void split_items(struct lowering *l, struct items *items)
{
	const struct items written = *items;

	items->at = arena_array(l->a, struct item, items->n + 1);
	for (uint32_t i = 0; i < items->n; i++) {
		items->at[i] = written.at[i];
		if (items->at[i].expr && !reads_items(l, &written, i, items->at[i].expr))
			items->at[i].expr = split_columns(l, items->at[i].expr);
	}
}

/* Of statements that run for every record. */
static struct stmts split_block(struct lowering *l, const struct stmts *block)
{
	struct stmts out = { arena_array(l->a, struct stmt, block->n + 1), block->n };

	for (uint32_t i = 0; i < block->n; i++) {
		struct stmt *s = &out.at[i];

		*s = block->at[i];
		if (s->expr && (s->kind != ST_ASSIGN || s->op != ASSIGN_DEFAULT))
			s->expr = split_columns(l, s->expr);
		split_items(l, &s->items);
	}
	return out;
}

/* ---- binding ---- */

static struct expr *bind(struct lowering *l, struct node *n, const char *const *names, uint32_t n_names)
{
	struct expr *x = lower_expr_vars(l->p, n, l->o, names, n_names, l->e), **exprs = l->r->exprs;

	if (!x)
		return NULL;
	if (l->r->n_exprs == l->exprs_cap) {
		l->exprs_cap = l->exprs_cap ? 2 * l->exprs_cap : 16;
		exprs = arena_array(l->a, struct expr *, l->exprs_cap);
		if (l->r->n_exprs)
			memcpy(exprs, l->r->exprs, l->r->n_exprs * sizeof *exprs);
		l->r->exprs = exprs;
	}
	exprs[l->r->n_exprs++] = x;
	return x;
}

static int lower_block(struct lowering *l, const struct stmts *block, struct state_block *out);

/* Keys, then variables, as they are. */
static struct state_emit *emit_all(struct lowering *l)
{
	struct state_emit *em = arena_new(l->a, struct state_emit);
	uint32_t vars = l->s->n_vars, n = l->s->n_names;

	em->n = n;
	em->names = arena_array(l->a, const char *, n + 1);
	em->exprs = memset(arena_array(l->a, struct expr *, n + 1), 0, (n + 1) * sizeof *em->exprs);
	em->places = arena_array(l->a, uint32_t, n + 1);
	for (uint32_t i = 0; i < n; i++) {
		em->places[i] = i < n - vars ? vars + i : i - (n - vars);
		em->names[i] = l->s->names[em->places[i]];
	}
	return em;
}

static void emit_layout(struct lowering *l, const struct items *items, struct state_emit *em)
{
	em->layout = arena_new(l->a, struct project);
	project_init(em->layout, l->a, items->n, 0);
	for (uint32_t i = 0; i < items->n; i++)
		em->layout->items[i].name = em->layout->items[i].at = items->at[i].expr ? items->at[i].name : NULL;
}

static struct state_emit *lower_emit(struct lowering *l, const struct items *items)
{
	struct state_emit *em = arena_new(l->a, struct state_emit);
	const char **names = arena_array(l->a, const char *, l->n_names + items->n + 1);

	if (!items->n)
		return emit_all(l);
	memcpy(names, l->names, l->n_names * sizeof *names);
	em->n = items->n;
	em->names = arena_array(l->a, const char *, items->n);
	em->exprs = memset(arena_array(l->a, struct expr *, items->n), 0, items->n * sizeof *em->exprs);
	for (uint32_t i = 0; i < items->n; i++) {
		const struct item *it = &items->at[i];

		em->names[i] = names[l->n_names + i] = it->name;
		if (it->expr && !(em->exprs[i] = bind(l, it->expr, names, l->n_names + i)))
			return NULL;
		if (!it->expr)
			emit_layout(l, items, em);
	}
	return em;
}

static uint32_t variable_of(const struct lowering *l, const char *name)
{
	uint32_t i = 0;

	while (strcmp(l->s->names[i], name))
		i++;
	return i;
}

static uint32_t timer_of(const struct lowering *l, const char *name)
{
	uint32_t i = 0;

	for (;; i++) {
		const char *own = l->s->timeouts[i].name;

		if (own && name ? !strcmp(own, name) : own == name)
			return i;
	}
}

static int lower_stmt(struct lowering *l, const struct stmt *s, struct state_stmt *out)
{
	*out = (struct state_stmt){ .kind = s->kind, .op = s->op, .absolute = s->absolute };
	if (s->expr && !(out->expr = bind(l, s->expr, l->names, l->n_names)))
		return -1;
	if (s->kind == ST_ASSIGN)
		out->target = variable_of(l, s->name);
	if (s->kind == ST_TIMEOUT)
		out->target = timer_of(l, s->name);
	if (s->kind == ST_EMIT && !(out->emit = lower_emit(l, &s->items)))
		return -1;
	if (out->emit && out->emit->n > l->r->n_items)
		l->r->n_items = out->emit->n;
	return lower_block(l, &s->then, &out->then) || lower_block(l, &s->other, &out->other) ? -1 : 0;
}

static int lower_block(struct lowering *l, const struct stmts *block, struct state_block *out)
{
	out->at = arena_array(l->a, struct state_stmt, block->n + 1);
	for (out->n = 0; out->n < block->n; out->n++)
		if (lower_stmt(l, &block->at[out->n], &out->at[out->n]))
			return -1;
	return 0;
}

static int lower_keys(struct lowering *l)
{
	const struct items *keys = &l->n->keys;

	l->r->keys = arena_array(l->a, struct expr *, keys->n + 1);
	l->r->key_names = l->s->names + l->s->n_vars;
	for (uint32_t i = 0; i < keys->n; i++)
		if (!(l->r->keys[i] = bind(l, keys->at[i].expr, NULL, 0)))
			return -1;
	l->r->n_keys = keys->n;
	return 0;
}

static int lower_first(struct lowering *l)
{
	uint32_t n = l->s->n_vars;
	const struct items *first = &l->s->first;

	l->r->n_vars = n;
	l->r->var_names = l->s->names;
	l->r->first = memset(arena_array(l->a, struct expr *, n + 1), 0, (n + 1) * sizeof *l->r->first);
	for (uint32_t i = 0; i < first->n; i++)
		if (!(l->r->first[variable_of(l, first->at[i].name)] = bind(l, first->at[i].expr, l->s->names, l->s->n_names)))
			return -1;
	return 0;
}

static int lower_columns(struct lowering *l)
{
	l->n_names = l->s->n_names + l->r->n_columns;
	l->names = arena_array(l->a, const char *, l->n_names + 1);
	l->r->columns = arena_array(l->a, struct expr *, l->r->n_columns + 1);
	memcpy(l->names, l->s->names, l->s->n_names * sizeof *l->names);
	for (uint32_t i = 0; i < l->r->n_columns; i++) {
		l->names[l->s->n_names + i] = arena_printf(l->a, "@%u", i);
		if (!(l->r->columns[i] = bind(l, l->columns[i], NULL, 0)))
			return -1;
	}
	return 0;
}

/* The short form emits behind its assignments. */
static struct stmts record_rule(struct lowering *l)
{
	struct stmts block = split_block(l, &l->s->record);

	if (l->s->shorthand)
		block.at[block.n++] = (struct stmt){ .kind = ST_EMIT };
	return block;
}

static int lower_timeouts(struct lowering *l)
{
	l->r->n_timers = l->s->n_timeouts;
	l->r->timers = arena_array(l->a, struct state_timer, l->s->n_timeouts + 1);
	for (uint32_t i = 0; i < l->s->n_timeouts; i++) {
		const struct state_timeout *t = &l->s->timeouts[i];
		struct state_timer *to = &l->r->timers[i];

		*to = (struct state_timer){ .name = t->name,
					    .clock = t->in || (t->at && !l->s->event),
					    .event = t->at && l->s->event };
		if (lower_block(l, &t->fires, &to->fires))
			return -1;
	}
	return 0;
}

static int lower_rules(struct lowering *l)
{
	struct state_spec *s = l->s;
	struct stmts record = record_rule(l);

	if (lower_columns(l) || lower_keys(l) || lower_first(l) || lower_timeouts(l))
		return -1;
	if (lower_block(l, &s->init, &l->r->init) || lower_block(l, &record, &l->r->record))
		return -1;
	return lower_block(l, &s->batch, &l->r->batch) || lower_block(l, &s->close, &l->r->close) ? -1 : 0;
}

/* ---- the state to begin with ---- */

struct start {
	struct op *op;
	const char *file;
};

static int take_start(void *ctx, struct batch *b, struct err *e) { return op_state_start(((struct start *)ctx)->op, b, e); }

static int bad_start(void *ctx, const char *raw, size_t n, uint64_t line, const char *reason, struct err *e)
{
	(void)raw;
	(void)n;
	return err_set(e, ERR_IO, "%s:%llu: bad record: %s", ((struct start *)ctx)->file, (unsigned long long)line, reason);
}

/* Records of the first state are small; the limit is that of a record of the input. */
#define START_RECORD_MAX ((size_t)64 << 20)

static int read_start(struct op *op, const struct state_spec *s, struct err *e)
{
	const struct codec_def *codec = codec_by_file(s->file);
	struct decode_opts opts = { .all = true, .max_record = START_RECORD_MAX, .source = s->file };
	struct start start = { .op = op, .file = s->file };
	struct decode_to to = { .emit = take_start, .bad = bad_start, .ctx = &start };
	struct decoder *d;
	struct blocks *b;
	int r;

	if (!codec || !codec->open) {
		err_at(e, s->file_pos, "the name of the first state tells no format that can be read: \"%s\"", s->file);
		return err_hint(e, "call it .csv, .tsv or .json");
	}
	d = codec->open(&opts, e);
	if (!d)
		return -1;
	d->def = codec;
	b = blocks_new(&s->file, 1, d);
	while ((r = blocks_step(b, &to, e)) == 1)
		;
	blocks_free(b);
	codec->close(d);
	return r < 0 ? -1 : 0;
}

/* ---- all of it ---- */

static int refuse(const struct plan_node *n, struct err *e)
{
	if (!n->state->window || !n->state->file)
		return 0;
	err_at(e, n->state->file_pos, "a state to begin with, behind a window");
	return err_hint(
		e,
		"there the state is that of a key in a window: put `state` in front of the window, or `window all` between them");
}

struct op *lower_state(const struct plan *p, const struct plan_node *n, const struct lower_opts *o, struct err *e)
{
	struct state_rules rules = { .window = n->state->window,
				     .all = n->state->all,
				     .records = n->state->records,
				     .ttl_ns = n->state->ttl_ns,
				     .lateness_ns = n->state->lateness_ns,
				     .takes_late = n->state->takes_late };
	struct lowering l = { .p = p, .n = n, .o = o, .s = n->state, .r = &rules, .a = p->arena, .e = e };
	struct op *op;

	if (refuse(n, e))
		return NULL;
	if (lower_rules(&l)) {
		for (uint32_t i = 0; i < rules.n_exprs; i++)
			expr_release(rules.exprs[i]);
		return NULL;
	}
	op = op_state(o->run, n->stage, n->word, &rules);
	if (!n->state->file || (o->kept && o->kept(o->opened_ctx, n->stage)) || !read_start(op, n->state, e))
		return op;
	op_free(op);
	return NULL;
}
