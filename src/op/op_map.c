#include "op/op_map.h"

struct map {
	struct op op;
	struct project project;
};

static int map_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct batch out;

	(void)port;
	project_apply(&((struct map *)op)->project, &op->eval, b, &out);
	op->count[0] += b->n_sel;
	return op_push(op, &out, e);
}

static void map_free(struct op *op)
{
	project_release(&((struct map *)op)->project);
}

static void map_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	project_unseen(&((const struct map *)op)->project, fn, ctx);
}

static const struct op_class map_class = {
	.name = "map",
	.makes_fields = true,
	.counters = { "mapped" },
	.process = map_process,
	.free = map_free,
	.unseen = map_unseen,
};

struct op *op_map(struct run *run, int stage, const char *word, struct project **project)
{
	struct map *m = op_make(&map_class, sizeof *m, run, stage, word);

	*project = &m->project;
	return &m->op;
}
