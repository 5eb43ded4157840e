#include "op/op_hold.h"

#include <stdlib.h>

#include "data/rowstore.h"
#include "op/op_assign.h"
#include "window/winset.h"

struct hold {
	struct op op;
	struct winset windows;
	struct rowstore *rows; /* by slot of the window */
	size_t cap;
	uint32_t n_rows;       /* slots with a store */
	size_t bytes;
};

static struct interval window_of(const struct batch *b, uint32_t row)
{
	struct interval w = { INT64_MIN, INT64_MAX };

	if (!row_time(b->hidden[HIDDEN_WINDOW_START], row, &w.start) || !row_time(b->hidden[HIDDEN_WINDOW_END], row, &w.end))
		w = (struct interval){ INT64_MIN, INT64_MAX };
	return w;
}

static int hold_row(struct hold *h, const struct batch *b, uint32_t row, struct err *e)
{
	struct interval w = window_of(b, row);
	struct run *run = h->op.run;
	uint32_t slot;
	bool fresh;

	if (w.end <= h->op.watermark) {
		h->op.count[1]++;
		return run->late ? run->late(run->late_ctx, &h->op, b, row, w.end, h->op.watermark - w.end, e) : 0;
	}
	slot = winset_put(&h->windows, &w, &fresh);
	h->rows = xgrow(h->rows, &h->cap, (size_t)slot + 1, sizeof *h->rows);
	for (; h->n_rows <= slot; h->n_rows++)
		h->rows[h->n_rows] = (struct rowstore){ 0 };
	h->bytes -= rowstore_memory(&h->rows[slot]);
	rowstore_add(&h->rows[slot], b, row, NULL, 0);
	h->bytes += rowstore_memory(&h->rows[slot]);
	h->op.count[0]++;
	return 0;
}

static int hold_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct hold *h = (struct hold *)op;

	(void)port;
	BATCH_EACH(b->sel, b->n_sel, i) if (hold_row(h, b, i, e)) return -1;
	return op_check_memory(op, h->windows.n, e);
}

static int push_window(struct hold *h, const struct rowstore *rows, struct err *e)
{
	size_t *order = xmalloc((rows->n + 1) * sizeof *order);
	int verdict = 0;

	for (size_t i = 0; i < rows->n; i++)
		order[i] = i;
	for (size_t from = 0; from < rows->n && verdict >= 0;) {
		struct batch b;

		from += rowstore_batch(rows, order, from, rows->n, &h->op.arena, &b);
		verdict = op_push(&h->op, &b, e);
		arena_reset(&h->op.arena);
	}
	free(order);
	return verdict;
}

static int hold_batch_end(struct op *op, struct err *e)
{
	struct hold *h = (struct hold *)op;

	for (;;) {
		uint32_t slot = winset_first(&h->windows);

		if (slot == WINSET_NONE || h->windows.at[slot].end > op->watermark)
			return 0;
		if (push_window(h, &h->rows[slot], e) < 0)
			return -1;
		h->bytes -= rowstore_memory(&h->rows[slot]);
		rowstore_release(&h->rows[slot]);
		winset_pop(&h->windows);
	}
}

static bool hold_holds(const struct op *op)
{
	return ((const struct hold *)op)->windows.n;
}

static size_t hold_memory(const struct op *op)
{
	const struct hold *h = (const struct hold *)op;

	return h->bytes + h->cap * sizeof *h->rows + winset_memory(&h->windows);
}

static void hold_free(struct op *op)
{
	struct hold *h = (struct hold *)op;

	for (uint32_t i = 0; i < h->n_rows; i++)
		rowstore_release(&h->rows[i]);
	free(h->rows);
	winset_release(&h->windows);
}

static const struct op_class hold_class = {
	.name = "hold",
	.counters = { "held", "late" },
	.process = hold_process,
	.on_batch_end = hold_batch_end,
	.free = hold_free,
	.memory = hold_memory,
	.holds = hold_holds,
};

struct op *op_hold(struct run *run, int stage, const char *word)
{
	struct hold *h = op_make(&hold_class, sizeof *h, run, stage, word);

	return &h->op;
}
