/* The program that a checkpoint remembers: which stages go on, what is said of the others, and what the operators get of it. */
#include "runtime/ckpt_impl.h"

#include <stdlib.h>

#include "state/inspect.h"

/* What is kept of operators is known by their stage, and by their number in it. */
static void name_ops(struct checkpoint *c, struct store_stage *to)
{
	const struct graph *g = &c->job->graph;

	for (uint32_t i = 0; i < g->n; i++) {
		const struct op *op = g->ops[i];
		unsigned at = op->stage > 0 && (unsigned)op->stage < c->opts.n_stages ? (unsigned)op->stage : 0;
		const char *name = at ? c->opts.stages[at].name : op->word;
		unsigned same = 1;

		for (uint32_t k = 0; k < i; k++) {
			size_t n = strlen(name);

			same += !strncmp(to[k].name, name, n) && (!to[k].name[n] || to[k].name[n] == '\n');
		}
		to[i].name = same > 1 ? arena_printf(&c->job->arena, "%s\n#%u", name, same) : name;
		to[i].fingerprint = c->opts.stages[at].fingerprint;
	}
	to[g->n] = (struct store_stage){ .name = checkpoint_inputs_stage, .fingerprint = 1 };
}

struct changes {
	const struct checkpoint *c;
	const struct inspect_diff *rows; /* of the operators of the job, of its inputs, and of what is dropped */
	size_t n;
};

/* Operators of a stage have names that differ behind a line end. */
static bool same_stage(const struct inspect_diff *a, const struct inspect_diff *b)
{
	size_t n = strcspn(a->name, "\n");

	return n == strcspn(b->name, "\n") && !memcmp(a->name, b->name, n);
}

/* Entries of all operators of the stage that are dropped. */
static unsigned long long dropped(const struct changes *h, const struct inspect_diff *d)
{
	unsigned long long n = 0;

	for (size_t i = 0; i < h->n; i++)
		if (h->rows[i].change == INSPECT_DROPPED && same_stage(&h->rows[i], d))
			n += h->rows[i].keys;
	return n;
}

/* Does an operator of the stage keep anything, and has it lost it? What a sink keeps nobody misses. */
static bool keeps(const struct changes *h, const struct inspect_diff *d)
{
	const struct graph *g = &h->c->job->graph;

	for (size_t i = 0; i < g->n; i++)
		if (h->rows[i].change == INSPECT_ANEW && same_stage(&h->rows[i], d) && g->ops[i]->cls->commit && !g->ops[i]->cls->delivers)
			return true;
	return false;
}

/* The rows before this one have said it. */
static bool was_said(const struct changes *h, const struct inspect_diff *d)
{
	for (const struct inspect_diff *r = h->rows; r < d; r++)
		if (r->change != INSPECT_KEPT && same_stage(r, d))
			return true;
	return false;
}

static void say(const struct changes *h, const struct inspect_diff *d)
{
	unsigned long long gone = dropped(h, d);
	struct buf b = { 0 };

	if (d->change == INSPECT_KEPT || was_said(h, d) || !(gone || keeps(h, d)))
		return;
	buf_printf(&b, "%s: \"%.*s\" ", h->c->opts.dir, (int)strcspn(d->name, "\n"), d->name);
	if (d->change == INSPECT_DROPPED)
		buf_printf(&b, "is no stage of the program any more: what it kept (%llu entries) is dropped", gone);
	else if (!d->changed)
		buf_str(&b, "is new: it starts with nothing");
	else if (gone)
		buf_printf(&b, "means something else than it did: it starts anew, and what it kept (%llu entries) is dropped", gone);
	else
		buf_str(&b, "means something else than it did: it starts anew");
	if (h->c->opts.note)
		h->c->opts.note(h->c->opts.ctx, buf_cstr(&b));
	buf_release(&b);
}

/* A program that means something else, by its text or by options, says what becomes of its stages. */
static void say_changes(const struct checkpoint *c, struct store_program *p)
{
	struct inspect_diff *rows;
	struct changes h = { .c = c };

	if (!store_program(c->store))
		return;
	inspect_diff(c->store, p, &rows, &h.n);
	h.rows = rows;
	for (size_t i = 0; i < h.n; i++)
		say(&h, &rows[i]);
	free(rows);
}

struct restoring {
	struct checkpoint *c;
	uint32_t op;
	struct err *err;
};

static int restore_one(void *ctx, const struct store_entry *entry)
{
	struct restoring *r = ctx;
	struct kept_entry own = { entry->key.p, entry->value.p, entry->key.n, entry->value.n, entry->mark };

	return graph_restore(&r->c->job->graph, r->op, &own, r->err) ? 1 : 0;
}

static int restore_op(struct checkpoint *c, uint32_t i, struct err *e)
{
	struct restoring r = { c, i, e };
	int failed = store_load(c->store, c->op_stage[i], restore_one, &r, e);

	return failed ? -1 : graph_restore(&c->job->graph, i, NULL, e);
}

int ckpt_take_program(struct checkpoint *c, struct err *e)
{
	const struct graph *g = &c->job->graph;
	struct store_stage *stages = arena_zero(&c->job->arena, (g->n + 1) * sizeof *stages);
	struct store_program p = { .text = { c->opts.program, strlen(c->opts.program) }, .stages = stages, .n_stages = g->n + 1 };

	name_ops(c, stages);
	say_changes(c, &p);
	if (store_set_program(c->store, &p, e))
		return -1;
	c->op_stage = xcalloc(g->n + 1, sizeof *c->op_stage);
	for (uint32_t i = 0; i < g->n; i++)
		c->op_stage[i] = stages[i].id;
	c->inputs_stage = stages[g->n].id;
	c->restores = xcalloc(g->n + 1, sizeof *c->restores);
	for (uint32_t i = 0; i < g->n; i++)
		c->restores[i] = c->has_commit && stages[i].fate == STORE_KEPT;
	return 0;
}

int ckpt_restore(struct checkpoint *c, struct err *e)
{
	for (uint32_t i = 0; i < c->job->graph.n; i++)
		if (c->restores[i] && restore_op(c, i, e))
			return -1;
	return 0;
}

int64_t ckpt_wakes(const struct checkpoint *c)
{
	if (c->job->ready)
		return graph_wakes(&c->job->graph, false);
	return c->has_commit ? c->commit.wakes : INT64_MAX;
}

bool checkpoint_kept(void *checkpoint, int stage)
{
	const struct checkpoint *c = checkpoint;
	const struct store_program *p = c->has_commit ? store_program(c->store) : NULL;

	for (uint32_t i = 0; p && i < p->n_stages; i++)
		if (!strcmp(p->stages[i].name, c->opts.stages[stage].name) && p->stages[i].fingerprint == c->opts.stages[stage].fingerprint)
			return true;
	return false;
}
