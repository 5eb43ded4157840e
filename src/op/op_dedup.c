#include "op/op_dedup.h"

#include "data/keytab.h"

struct dedup {
	struct op op;
	struct expr **keys;
	uint32_t n_keys;
	bool per_batch;
	struct keytab table;
};

static void dedup_keys(struct dedup *d, const struct batch *b, struct key_bytes *keys)
{
	uint32_t n = d->n_keys ? d->n_keys : 1;
	struct column *cols = arena_array(b->arena, struct column, n);
	const struct column **at = arena_array(b->arena, const struct column *, n);

	for (uint32_t k = 0; k < n; k++) {
		at[k] = &cols[k];
		if (d->n_keys)
			cols[k] = expr_eval(d->keys[k], &d->op.eval, b, b->sel, b->n_sel);
	}
	if (!d->n_keys) {
		cols[0] = column_make(b->arena, T_OBJECT, b->n_rows);
		BATCH_EACH(b->sel, b->n_sel, i) cols[0].v[i] = batch_record(b, i, b->arena);
	}
	key_of_columns(b->arena, at, n, b->sel, b->n_sel, keys);
}

static int dedup_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct dedup *d = (struct dedup *)op;
	struct key_bytes *keys = arena_array(b->arena, struct key_bytes, b->n_sel + 1);
	uint32_t *group = arena_array(b->arena, uint32_t, b->n_sel + 1), *sel = arena_array(b->arena, uint32_t, b->n_sel + 1);
	uint32_t next = d->table.n;
	struct batch out = *b;
	int verdict;

	(void)port;
	dedup_keys(d, b, keys);
	keytab_put(&d->table, keys, b->n_sel, group);
	out.sel = sel;
	out.n_sel = 0;
	BATCH_EACH(b->sel, b->n_sel, i) if (group[k_] == next)
	{
		sel[out.n_sel++] = i;
		next++;
	}
	op->count[0] += out.n_sel;
	op->count[1] += b->n_sel - out.n_sel;
	verdict = op_push(op, &out, e);
	return verdict ? verdict : op_check_memory(op, d->table.n, e);
}

static int dedup_batch_end(struct op *op, struct err *e)
{
	struct dedup *d = (struct dedup *)op;

	(void)e;
	if (d->per_batch)
		keytab_clear(&d->table);
	return 0;
}

static void dedup_free(struct op *op)
{
	struct dedup *d = (struct dedup *)op;

	for (uint32_t k = 0; k < d->n_keys; k++)
		expr_release(d->keys[k]);
	keytab_release(&d->table);
}

static size_t dedup_memory(const struct op *op)
{
	return keytab_memory(&((const struct dedup *)op)->table);
}

static void dedup_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct dedup *d = (const struct dedup *)op;

	for (uint32_t k = 0; k < d->n_keys; k++)
		expr_unseen(d->keys[k], fn, ctx);
}

static const struct op_class dedup_class = {
	.name = "dedup",
	.counters = { "first", "repeated" },
	.process = dedup_process,
	.on_batch_end = dedup_batch_end,
	.free = dedup_free,
	.memory = dedup_memory,
	.unseen = dedup_unseen,
};

struct op *op_dedup(struct run *run, int stage, const char *word, struct expr **keys_take, uint32_t n_keys, bool per_batch)
{
	struct dedup *d = op_make(&dedup_class, sizeof *d, run, stage, word);

	d->keys = keys_take;
	d->n_keys = n_keys;
	d->per_batch = per_batch;
	keytab_init(&d->table);
	return &d->op;
}
