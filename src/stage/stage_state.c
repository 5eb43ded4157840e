#include "base/nearest.h"
#include "base/time.h"
#include "plan/state_spec.h"
#include "stage/canon.h"
#include "stage/stage_list.h"

struct reader {
	struct parser *p;
	struct plan_node *n;
	struct state_spec *s;
	struct err *e;
	bool has_body, has_init, has_record, has_batch, has_close;
};

/* ---- rules ---- */

static struct state_timeout *timeout_find(struct state_spec *s, const char *name)
{
	for (uint32_t i = 0; i < s->n_timeouts; i++) {
		const char *own = s->timeouts[i].name;

		if (own == name || (own && name && !strcmp(own, name)))
			return &s->timeouts[i];
	}
	return NULL;
}

static struct state_timeout *timeout_get(struct reader *r, const char *name, struct pos pos)
{
	struct state_timeout *t = timeout_find(r->s, name);

	if (t)
		return t;
	if (r->s->n_timeouts == STATE_TIMEOUTS_MAX) {
		err_at(r->e, pos, "more than %d timeouts", STATE_TIMEOUTS_MAX);
		return NULL;
	}
	t = &r->s->timeouts[r->s->n_timeouts++];
	*t = (struct state_timeout){ .name = name, .pos = pos };
	return t;
}

static int twice(struct reader *r, struct pos pos, const char *what) { return err_at(r->e, pos, "`%s` stands twice", what); }

static int read_rule(struct reader *r, bool *has, const char *what, struct stmts *to)
{
	struct pos pos = parser_pos(r->p);

	if (*has)
		return twice(r, pos, what);
	*has = true;
	return parser_block(r->p, to, r->e);
}

static int read_timeout_rule(struct reader *r)
{
	struct pos pos = parser_pos(r->p);
	const char *name = NULL;
	struct state_timeout *t;

	if (!parser_peek(r->p, "{") && !(name = parser_name(r->p, "the name of a timeout", NULL, r->e)))
		return -1;
	if (name && (!strcmp(name, "at") || !strcmp(name, "off")))
		return err_at(r->e, pos, "a timeout cannot be called `%s`", name);
	t = timeout_get(r, name, pos);
	return t ? read_rule(r, &t->handled, "on timeout", &t->fires) : -1;
}

static int read_on(struct reader *r)
{
	if (parser_accept_word(r->p, "record"))
		return read_rule(r, &r->has_record, "on record", &r->s->record);
	if (parser_accept_word(r->p, "batch"))
		return read_rule(r, &r->has_batch, "on batch", &r->s->batch);
	if (parser_accept_word(r->p, "close"))
		return read_rule(r, &r->has_close, "on close", &r->s->close);
	if (parser_accept_word(r->p, "timeout"))
		return read_timeout_rule(r);
	return parser_expected(r->p, NULL, r->e);
}

static int read_rules(struct reader *r)
{
	struct pos pos = parser_pos(r->p);

	if (!parser_accept(r->p, "{"))
		return parser_expected(r->p, NULL, r->e);
	while (!parser_accept(r->p, "}")) {
		if (parser_accept(r->p, ";"))
			continue;
		if (parser_accept_word(r->p, "init")) {
			if (read_rule(r, &r->has_init, "init", &r->s->init))
				return -1;
		} else if (parser_accept_word(r->p, "on")) {
			if (read_on(r))
				return -1;
		} else {
			bool statement = parser_peek_assignment(r->p);

			parser_expected(r->p, NULL, r->e);
			return statement ? err_hint(r->e, "statements stand in a rule: on record { ... }") : -1;
		}
	}
	if (r->has_record || r->has_batch || r->has_close)
		return 0;
	err_at(r->e, pos, "a state without a rule that sees records");
	return err_hint(r->e, "say what happens with them: on record { n += 1; emit }");
}

/* ---- clauses ---- */

static int read_first(struct reader *r)
{
	struct state_spec *s = r->s;

	if (parser_peek_assign(r->p))
		return s->first.n ? parser_expected(r->p, "a file name in quotes", r->e)
				  : parser_items(r->p, false, true, &s->first, r->e);
	s->file_pos = parser_pos(r->p);
	if (!s->file && parser_accept_string(r->p, &s->file, NULL))
		return 0;
	return parser_expected(r->p, "first values: `name = ...`", r->e);
}

static int read_ttl(struct reader *r)
{
	struct pos pos = parser_pos(r->p);

	if (parser_duration(r->p, "how long a key is kept after its last record, as 30m", &r->s->ttl_ns, NULL, r->e))
		return -1;
	return r->s->ttl_ns > 0 ? 0 : err_at(r->e, pos, "`ttl` is longer than 0s");
}

/* 1: there was a clause. */
static int read_clause(struct reader *r)
{
	struct parser *p = r->p;

	if (!r->has_body && (parser_peek_assignment(p) || parser_peek(p, "{"))) {
		r->has_body = true;
		r->s->shorthand = !parser_peek(p, "{");
		return (r->s->shorthand ? parser_assignments(p, &r->s->record, r->e) : read_rules(r)) ? -1 : 1;
	}
	if (!r->n->keys.n && parser_accept_word(p, "by"))
		return parser_keys(p, &r->n->keys, r->e) ? -1 : 1;
	if (!r->s->ttl_ns && parser_accept_word(p, "ttl"))
		return read_ttl(r) ? -1 : 1;
	if ((!r->s->first.n || !r->s->file) && parser_accept_word(p, "from"))
		return read_first(r) ? -1 : 1;
	if (!r->s->all && parser_accept_word(p, "all")) {
		r->s->all = true;
		return 1;
	}
	return 0;
}

/* ---- names ---- */

static bool is_named(const struct state_spec *s, uint32_t from, uint32_t to, const char *name)
{
	for (uint32_t i = from; i < to; i++)
		if (!strcmp(s->names[i], name))
			return true;
	return false;
}

static void add_var(struct reader *r, const char *name)
{
	struct state_spec *s = r->s;
	const char **names;

	if (is_named(s, 0, s->n_vars, name))
		return;
	if (!(s->n_vars & (s->n_vars - 1))) {
		names = arena_array(parser_arena(r->p), const char *, s->n_vars ? 2 * s->n_vars : 1);
		if (s->n_vars)
			memcpy(names, s->names, s->n_vars * sizeof *names);
		s->names = names;
	}
	s->names[s->n_vars++] = name;
}

static int key_assigned(struct reader *r, const char *name, struct pos pos)
{
	for (uint32_t i = 0; i < r->n->keys.n; i++)
		if (!strcmp(r->n->keys.at[i].name, name)) {
			err_at(r->e, pos, "`%s` is a key and cannot be set", name);
			return err_hint(r->e, "give the variable another name");
		}
	return 0;
}

static int note_set(struct reader *r, const struct stmt *st)
{
	struct state_timeout *t = timeout_get(r, st->name, st->pos);

	if (!t)
		return -1;
	t->pos = t->in || t->at ? t->pos : st->pos;
	t->at |= st->absolute;
	t->in |= !st->absolute;
	return 0;
}

static int note_names(const struct stmt *st, void *ctx)
{
	struct reader *r = ctx;

	if (st->kind == ST_TIMEOUT)
		return note_set(r, st);
	if (st->kind != ST_ASSIGN)
		return 0;
	if (key_assigned(r, st->name, st->pos))
		return -1;
	add_var(r, st->name);
	return 0;
}

/* Calls fn for each block. */
static int each_block(struct reader *r, int (*fn)(struct reader *r, const struct stmts *block))
{
	struct state_spec *s = r->s;

	if (fn(r, &s->init) || fn(r, &s->record) || fn(r, &s->batch) || fn(r, &s->close))
		return -1;
	for (uint32_t i = 0; i < s->n_timeouts; i++)
		if (fn(r, &s->timeouts[i].fires))
			return -1;
	return 0;
}

static int names_of_block(struct reader *r, const struct stmts *block) { return stmts_walk(block, note_names, r); }

/* Variables in the order they are first set, then keys. */
static int collect_names(struct reader *r)
{
	struct state_spec *s = r->s;
	const char **names;

	if (each_block(r, names_of_block))
		return -1;
	for (uint32_t i = 0; i < s->first.n; i++) {
		if (key_assigned(r, s->first.at[i].name, s->first.at[i].pos))
			return -1;
		add_var(r, s->first.at[i].name);
	}
	s->n_names = s->n_vars + r->n->keys.n;
	names = arena_array(parser_arena(r->p), const char *, s->n_names + 1);
	if (s->n_vars)
		memcpy(names, s->names, s->n_vars * sizeof *names);
	for (uint32_t i = 0; i < r->n->keys.n; i++)
		names[s->n_vars + i] = r->n->keys.at[i].name;
	s->names = names;
	return 0;
}

/* ---- checks ---- */

static int is_records(struct node *n, void *ctx)
{
	if (n->kind != N_SPECIAL || strcmp(n->name, "records"))
		return 0;
	*(struct pos *)ctx = n->pos;
	return 1;
}

static int records_in(const struct stmt *st, void *ctx) { return stmt_nodes(st, is_records, ctx); }

static int check_records(struct reader *r)
{
	struct state_spec *s = r->s;
	const struct stmts *without[] = { &s->init, &s->record, &s->close };
	struct pos pos;
	bool wrong = false;

	s->records = stmts_walk(&s->batch, records_in, &pos);
	for (unsigned i = 0; i < ARRAY_LEN(without) && !wrong; i++)
		wrong = stmts_walk(without[i], records_in, &pos);
	for (uint32_t i = 0; i < s->n_timeouts && !wrong; i++)
		wrong = stmts_walk(&s->timeouts[i].fires, records_in, &pos);
	if (!wrong)
		return 0;
	err_at(r->e, pos, "`@records` outside of `on batch`");
	return err_hint(r->e, "they are the key's records of the micro-batch, at its end");
}

struct blind {
	struct reader *r;
	const struct stmts *block;
	const char *where;
};

static bool is_field(const struct node *n, const char *name) { return n->kind == N_FIELD && !strcmp(n->name, name); }

static bool is_null(const struct node *n) { return n->kind == N_LIT && n->lit.type == T_NULL; }

/* name == null, name != null, is_null(name), name ?? E */
static int tests_null(struct node *n, void *ctx)
{
	if (n->kind == N_CALL)
		return n->n_kids == 1 && !strcmp(n->name, "is_null") && is_field(n->kids[0], ctx);
	if (n->kind != N_BINARY || !is_field(n->kids[0], ctx))
		return 0;
	return n->op == OP_NULL_OR || ((n->op == OP_EQ || n->op == OP_NE) && is_null(n->kids[1]));
}

static int stmt_tests_null(const struct stmt *st, void *ctx) { return stmt_nodes(st, tests_null, ctx); }

static int find_name(struct node *n, void *ctx)
{
	struct item *it = ctx;

	if (n->kind != N_FIELD || strncmp(it->name, n->name, n->name_n) || (it->name[n->name_n] && it->name[n->name_n] != '.'))
		return 0;
	it->pos = n->pos;
	return 1;
}

static int no_record(const struct blind *b, struct pos pos, const char *what)
{
	err_at(b->r->e, pos, "%s in `%s`, which has no record", what, b->where);
	return err_hint(b->r->e, "keep it in a variable: on record { last = ... }");
}

/* Rules that run without a record know keys and variables. A name that a rule tests for null is a variable that nothing sets. */
static int check_blind_expr(void *ctx, struct node *expr, const char *const *bound, uint32_t n_bound)
{
	const struct blind *b = ctx;
	struct field_set f = { .arena = parser_arena(b->r->p) };
	struct item it = { .pos = expr->pos };
	struct nearest s;

	node_fields(expr, bound, n_bound, &f);
	if (f.all)
		return no_record(b, expr->pos, "`@record`");
	if (!f.n)
		return 0;
	it.name = f.names[0];
	for (uint32_t i = 0; i < f.n; i++)
		if (!stmts_walk(b->block, stmt_tests_null, (void *)(uintptr_t)f.names[i]))
			it.name = f.names[i];
	if (stmts_walk(b->block, stmt_tests_null, (void *)(uintptr_t)it.name))
		return 0;
	node_walk(expr, find_name, &it);
	nearest_init(&s, it.name, strlen(it.name));
	for (uint32_t i = 0; i < n_bound; i++)
		nearest_offer(&s, bound[i]);
	err_at(b->r->e, it.pos, "`%s` is no variable and no key, and `%s` has no record", it.name, b->where);
	if (s.best)
		return err_hint(b->r->e, "did you mean `%s`?", s.best);
	return err_hint(b->r->e, "keep it in a variable: on record { %s = %s }", it.name, it.name);
}

static int check_blind_star(const struct stmt *st, void *ctx)
{
	for (uint32_t i = 0; i < st->items.n; i++)
		if (!st->items.at[i].expr)
			return no_record(ctx, st->items.at[i].pos, "`*`");
	return 0;
}

static int check_blind(struct reader *r, const struct stmts *block, const char *where)
{
	struct blind b = { r, block, where };

	if (stmts_walk(block, check_blind_star, &b))
		return -1;
	return state_exprs(r->s, parser_arena(r->p), block, check_blind_expr, &b);
}

static int no_handler(struct reader *r, const struct state_timeout *t)
{
	struct nearest s;

	if (!t->name) {
		err_at(r->e, t->pos, "a timeout that nothing happens at");
		return err_hint(r->e, "say what does: on timeout { ... }");
	}
	err_at(r->e, t->pos, "a timeout `%s` that nothing happens at", t->name);
	nearest_init(&s, t->name, strlen(t->name));
	for (uint32_t i = 0; i < r->s->n_timeouts; i++)
		if (r->s->timeouts[i].handled && r->s->timeouts[i].name)
			nearest_offer(&s, r->s->timeouts[i].name);
	if (s.best)
		return err_hint(r->e, "did you mean `%s`?", s.best);
	return err_hint(r->e, "say what does: on timeout %s { ... }", t->name);
}

static bool has_first(const struct state_spec *s, const char *name)
{
	for (uint32_t i = 0; i < s->first.n; i++)
		if (!strcmp(s->first.at[i].name, name))
			return true;
	return s->file != NULL;
}

/* In the short form nothing but its assignment sets a variable: `n = n + 1` stays null for ever. */
static int check_begins(struct reader *r)
{
	const struct stmts *all = &r->s->record;

	for (uint32_t i = 0; r->s->shorthand && i < all->n; i++) {
		const struct stmt *st = &all->at[i];
		const struct node *x = st->expr;

		if (x->kind != N_BINARY || x->op < OP_CONCAT || !is_field(x->kids[0], st->name) || has_first(r->s, st->name))
			continue;
		err_at(r->e, x->kids[0]->pos, "`%s` is null at first, and so is what comes of it", st->name);
		if (x->op == OP_ADD)
			return err_hint(r->e, "write `%s += ...`, or give it a first value: from %s = 0", st->name, st->name);
		return err_hint(r->e, "give it a first value: from %s = ...", st->name);
	}
	return 0;
}

static int check(struct reader *r)
{
	struct state_spec *s = r->s;

	if (collect_names(r) || check_records(r) || check_begins(r))
		return -1;
	if (check_blind(r, &s->batch, "on batch") || check_blind(r, &s->close, "on close"))
		return -1;
	for (uint32_t i = 0; i < s->n_timeouts; i++) {
		if (!s->timeouts[i].handled)
			return no_handler(r, &s->timeouts[i]);
		if (check_blind(r, &s->timeouts[i].fires, "on timeout"))
			return -1;
	}
	if (!s->all || s->batch.n)
		return 0;
	err_at(r->e, r->n->pos, "`all` without a rule `on batch`");
	return err_hint(r->e, "it says that `on batch` runs for keys without a record, too");
}

/* ---- canonical text ---- */

static void print_rule(struct buf *b, bool has, const char *what, const struct stmts *block)
{
	if (!has)
		return;
	buf_printf(b, " %s ", what);
	stmts_print(b, block);
}

static void print_rules(struct buf *b, const struct reader *r)
{
	buf_char(b, '{');
	print_rule(b, r->has_init, "init", &r->s->init);
	print_rule(b, r->has_record, "on record", &r->s->record);
	for (uint32_t i = 0; i < r->s->n_timeouts; i++) {
		buf_str(b, " on timeout ");
		if (r->s->timeouts[i].name) {
			name_print(b, r->s->timeouts[i].name);
			buf_char(b, ' ');
		}
		stmts_print(b, &r->s->timeouts[i].fires);
	}
	print_rule(b, r->has_close, "on close", &r->s->close);
	print_rule(b, r->has_batch, "on batch", &r->s->batch);
	buf_str(b, " }");
}

static void print_first(struct buf *b, const struct state_spec *s)
{
	struct node file = { .kind = N_LIT, .lit = v_str(s->file, s->file ? strlen(s->file) : 0) };

	for (uint32_t i = 0; i < s->first.n; i++) {
		buf_str(b, i ? ", " : " from ");
		name_print(b, s->first.at[i].name);
		buf_str(b, " = ");
		node_print(b, s->first.at[i].expr);
	}
	if (!s->file)
		return;
	buf_str(b, " from ");
	node_print(b, &file);
}

static const char *canonical(struct reader *r)
{
	struct buf b = { 0 };

	buf_str(&b, "state ");
	if (r->s->shorthand)
		assignments_print(&b, &r->s->record);
	else
		print_rules(&b, r);
	print_first(&b, r->s);
	if (r->s->ttl_ns) {
		buf_str(&b, " ttl ");
		buf_took(&b, dur_format(r->s->ttl_ns, buf_room(&b, TIME_MAX)));
	}
	canon_by(&b, "by", &r->n->keys);
	if (r->s->all)
		buf_str(&b, " all");
	return canon_done(parser_arena(r->p), &b);
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct reader r = { .p = p, .n = n, .e = e };
	int more;

	n->kind = PLAN_STATE;
	n->state = r.s = arena_new(parser_arena(p), struct state_spec);
	r.s->timeouts = arena_array(parser_arena(p), struct state_timeout, STATE_TIMEOUTS_MAX);
	while ((more = read_clause(&r)) == 1)
		;
	if (more < 0)
		return -1;
	if (!r.has_body)
		return parser_expected(p, "a rule: `name = ...`", e);
	if (parser_end(p, e) || check(&r))
		return -1;
	n->keeps = r.s->ttl_ns ? "the variables and timeouts of each key, until `ttl` has passed"
			       : "the variables and timeouts of each key";
	n->canonical = canonical(&r);
	return 0;
}

const struct stage_def stage_state = {
	.doc = {
		.name = "state",
		.synopsis = "state name = E, ... [by KEYS] | state { on record { ... } ... } [by KEYS] [from ...] [ttl DUR] [all]",
		.summary = "variables and timeouts of each key, that outlive micro-batches",
		.text = "Variables belong to a key and keep their values from record to record. The short form sets them on each record and then gives the "
			"keys and the variables. Variables hide fields of the same name (`@record.n` is the field); one that was not set is null. `n += E` "
			"and `list ++= E` begin with E where the variable is null, and leave it where E is; `n ?\?= E` sets it where it is null.\n\n"
			"The long form has rules: `init` before a key's first record, `on record`, `on batch` once at the end of a micro-batch for each key "
			"that had records (the list `@records`; with `all` for every key that holds state, too), `on timeout [NAME]`, and `on close` when the "
			"window, or the run, ends (with --checkpoint: one with --drain that read something). In a rule stand assignments, `if E { ... } else { ... }`, `emit` (items as in map; alone: keys and "
			"variables), `remove` (the key forgets its variables and timeouts) and `timeout [NAME] DUR`, `timeout [NAME] at TIME`, "
			"`timeout [NAME] off`. A statement ends at `;` or at the end of the line. Rules without a record know keys and variables only.\n\n"
			"A key has one timeout for each name; setting it again puts it off, a record does not. `timeout DUR` counts processing time, "
			"`timeout at TIME` event time where there is a watermark. It fires when its time lies before the clock, or the watermark, after the "
			"records of the micro-batch, in the order of time; `on batch` runs last. One in event time that sets itself anew as it fires does so for "
			"a later time, or is over.\n\n"
			"`from n = 0` gives first values, `from \"FILE\"` the state to begin with: records with the keys and the variables as fields, "
			"each key once; a field that no rule sets is a variable where it has a first value, too (`from limit = 0 from \"FILE\"`). "
			"Behind a window the state is that of a key in a window. Late records are dropped and counted where a timeout goes by event time, "
			"and behind a window that has closed.\n\n"
			"A short key with one number takes about 100 bytes of memory, 140 with a timeout, and half as much again with --checkpoint, until what changed is folded away; each further "
			"variable about 20, texts, lists and objects what they are long. `on close` and `all` are for keys that hold variables or timeouts.",
		.group = "state",
		.params = { { "name = E", "expr", NULL, NULL, "a variable's new value; E sees its old one" },
			    { "by KEYS", "keys", "one state for all", NULL, "whose variables they are" },
			    { "from n = E", "expr", "null", NULL, "the first value of a variable" },
			    { "from \"FILE\"", "string", NULL, NULL, "the state to begin with; its format by its name" },
			    { "ttl DUR", "duration", "never", "> 0s", "forget a key so long after its last record" },
			    { "all", "word", NULL, NULL, "`on batch` runs for keys without a record, too" } },
		.examples = {
			{ "-i csv 'state n += 1, total += amount by user'", "user,amount\nann,5\nbob,2\nann,1\n", "user,n,total\nann,1,5\nbob,1,2\nann,2,6\n",
			  "a record for each record" },
			{ "-i csv 'state { on record { if is_null(last) or ts - last > 30 { visit += 1 }; last = ts; emit *, visit } } by user'",
			  "user,ts\nann,0\nann,20\nann,90\n", "user,ts,visit\nann,0,1\nann,20,1\nann,90,2\n", "visits: a pause of 30 begins a new one" },
			{ "-o lines --every mark 'state { on record { n += 1 } on batch { emit line = line ++ \" \" ++ n } } by line all'",
			  "a\n\f\na\nb\n\f\nb\n\f\n", "a 1\na 2\nb 1\na 2\nb 2\n", "counts of all keys after each micro-batch" },
			{ "-o lines --every mark 'state { on record { timeout 10s } on timeout { emit line = line ++ \" is silent\"; remove } } by line'",
			  "a\nb\n\f clock=+1s\nb\n\f clock=+5s\n\f clock=+6s\n", "a is silent\n", "a key that fell silent" },
		},
	},
	.words = "by from ttl all",
	.parse = parse,
};
