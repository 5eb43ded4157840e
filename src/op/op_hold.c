#include "op/op_hold.h"

#include <stdlib.h>

#include "op/op_assign.h"
#include "op/pieces.h"
#include "window/winset.h"

struct hold {
	struct op op;
	struct winset windows;
	struct pieces *at;      /* by slot of the window */
	size_t cap;
	uint32_t n_rows;        /* slots with a store */
	size_t bytes;
	struct keep_dirty dirty; /* with run->durable: slots */
	struct keep_gone gone;
	size_t leave_at; /* bytes held from which on it is worth trying again */
};

static struct interval window_of(const struct batch *b, uint32_t row)
{
	struct interval w = { INT64_MIN, INT64_MAX };

	if (!row_time(b->hidden[HIDDEN_WINDOW_START], row, &w.start) || !row_time(b->hidden[HIDDEN_WINDOW_END], row, &w.end))
		w = (struct interval){ INT64_MIN, INT64_MAX };
	return w;
}

static void reach_slot(struct hold *h, uint32_t slot)
{
	h->at = xgrow(h->at, &h->cap, (size_t)slot + 1, sizeof *h->at);
	for (; h->n_rows <= slot; h->n_rows++)
		h->at[h->n_rows] = (struct pieces){ 0 };
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
	reach_slot(h, slot);
	h->bytes -= rowstore_memory(&h->at[slot].rows);
	rowstore_add(&h->at[slot].rows, b, row, NULL, 0);
	h->bytes += rowstore_memory(&h->at[slot].rows);
	if (run->durable)
		keep_dirty_add(&h->dirty, slot);
	h->op.count[0]++;
	return 0;
}

/* Rows may be in their entries alone until their window ends. */
static bool rests(const struct hold *h) { return h->op.run->mem_max && h->op.run->fetch; }

/* Behind a commit, from 3/8 of --mem on. */
static void leave(struct hold *h)
{
	size_t held = op_memory(&h->op);

	if (!rests(h) || h->dirty.n || h->gone.b.n || held < h->op.run->mem_max / 8 * 3 || held < h->leave_at)
		return;
	for (uint32_t i = 0; i < h->n_rows; i++) {
		if (!h->at[i].rows.n)
			continue;
		h->bytes -= rowstore_memory(&h->at[i].rows);
		pieces_leave(&h->at[i]);
	}
	h->leave_at = op_memory(&h->op) / 2 * 3;
}

static int hold_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct hold *h = (struct hold *)op;

	(void)port;
	leave(h);
	BATCH_EACH(b->sel, b->n_sel, i) if (hold_row(h, b, i, e)) return -1;
	return op_check_memory(op, h->windows.n, e);
}

static int push_rows(struct hold *h, const struct rowstore *rows, struct err *e)
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

/* ---- what survives a restart: 'w', the window and the number of a row -> the rows from there on that came in one micro-batch ---- */

#define TAG_ROWS 'w'

static void put_prefix(const struct interval *w, struct buf *out)
{
	struct value start = v_time(w->start), end = v_time(w->end);

	out->n = 0;
	buf_char(out, TAG_ROWS);
	keep_value(out, &start);
	keep_value(out, &end);
}

/* A piece at a time of what is away. */
static int push_window(struct hold *h, uint32_t slot, struct err *e)
{
	const struct pieces *p = &h->at[slot];
	struct buf prefix = { 0 };
	int verdict = 0;

	put_prefix(&h->windows.at[slot], &prefix);
	for (uint32_t i = 0; i < p->n && p->at[i].first < p->away && verdict >= 0; i++) {
		struct rowstore rows = { 0 };

		verdict = pieces_fetch(&p->at[i], &prefix, &h->op, &rows, e);
		if (!verdict)
			verdict = push_rows(h, &rows, e);
		rowstore_release(&rows);
	}
	buf_release(&prefix);
	return verdict < 0 ? -1 : push_rows(h, &p->rows, e);
}

static void commit_window(struct hold *h, uint32_t slot, struct keep *k, const struct buf *prefix)
{
	struct pieces *p = &h->at[slot];

	h->bytes -= p->cap * sizeof *p->at;
	pieces_commit(p, k, prefix);
	h->bytes += p->cap * sizeof *p->at;
}

static void hold_commit(struct op *op, struct keeper *to)
{
	struct hold *h = (struct hold *)op;
	struct keep k = { .to = to };
	struct buf prefix = { 0 };
	uint32_t slot;

	keep_gone_commit(&h->gone, to);
	while ((slot = keep_dirty_take(&h->dirty)) != UINT32_MAX) {
		put_prefix(&h->windows.at[slot], &prefix);
		commit_window(h, slot, &k, &prefix);
	}
	buf_release(&prefix);
	keep_release(&k);
}

/* The window has closed. */
static void drop_pieces(struct hold *h, uint32_t slot)
{
	struct buf prefix = { 0 };

	put_prefix(&h->windows.at[slot], &prefix);
	pieces_gone(&h->at[slot], &prefix, &h->gone);
	buf_release(&prefix);
	keep_dirty_remove(&h->dirty, slot);
}

static int restore_piece(struct hold *h, struct bytes_in key, struct bytes_in value, uint32_t mark)
{
	struct interval w;
	uint32_t slot;
	bool fresh;

	w.start = keep_get_time(&key);
	w.end = keep_get_time(&key);
	if (key.bad || w.start > w.end)
		return -1;
	slot = winset_put(&h->windows, &w, &fresh);
	reach_slot(h, slot);
	return rests(h) ? pieces_note(&h->at[slot], &key, &value, mark) : pieces_load(&h->at[slot], &key, &value, mark);
}

static int restored(struct hold *h)
{
	for (uint32_t slot = 0; slot < h->n_rows; slot++) {
		struct pieces *p = &h->at[slot];

		if (rests(h) ? pieces_noted(p) : pieces_loaded(p))
			return -1;
		h->bytes += rowstore_memory(&p->rows) + p->cap * sizeof *p->at;
	}
	return 0;
}

static int hold_restore(struct op *op, const char *key, size_t key_n, const char *value, size_t n, uint32_t mark, struct err *e)
{
	struct hold *h = (struct hold *)op;
	int r = key ? restore_piece(h, keep_open(key, key_n, TAG_ROWS), keep_open(value, n, PIECES_VERSION), mark) : restored(h);

	return r ? keep_refuse(op, e) : 0;
}

static int hold_batch_end(struct op *op, struct err *e)
{
	struct hold *h = (struct hold *)op;

	for (;;) {
		uint32_t slot = winset_first(&h->windows);

		if (slot == WINSET_NONE || h->windows.at[slot].end > op->watermark)
			return 0;
		if (push_window(h, slot, e) < 0)
			return -1;
		h->bytes -= rowstore_memory(&h->at[slot].rows) + h->at[slot].cap * sizeof *h->at[slot].at;
		drop_pieces(h, slot);
		pieces_release(&h->at[slot]);
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

	return h->bytes + h->cap * sizeof *h->at + winset_memory(&h->windows) + keep_dirty_memory(&h->dirty) + h->gone.b.cap;
}

static void hold_free(struct op *op)
{
	struct hold *h = (struct hold *)op;

	for (uint32_t i = 0; i < h->n_rows; i++)
		pieces_release(&h->at[i]);
	free(h->at);
	keep_dirty_release(&h->dirty);
	keep_gone_release(&h->gone);
	winset_release(&h->windows);
}

static const struct op_class hold_class = {
	.name = "hold",
	.leaves = true,
	.counters = { "held", "late" },
	.process = hold_process,
	.on_batch_end = hold_batch_end,
	.free = hold_free,
	.memory = hold_memory,
	.holds = hold_holds,
	.commit = hold_commit,
	.restore = hold_restore,
};

struct op *op_hold(struct run *run, int stage, const char *word)
{
	struct hold *h = op_make(&hold_class, sizeof *h, run, stage, word);

	return &h->op;
}
