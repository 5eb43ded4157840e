#include "op/pieces.h"

#include <stdlib.h>

/* A piece ends behind the row that makes it as long as this. */
#define PIECE_BYTES ((size_t)1 << 20)

void pieces_release(struct pieces *p)
{
	rowstore_release(&p->rows);
	free(p->at);
	*p = (struct pieces){ 0 };
}

static struct piece *add_piece(struct pieces *p)
{
	p->at = xgrow(p->at, &p->cap, (size_t)p->n + 1, sizeof *p->at);
	p->at[p->n] = (struct piece){ 0 };
	return &p->at[p->n++];
}

static void commit_piece(struct pieces *p, struct keep *k, const struct buf *prefix)
{
	struct piece *one = add_piece(p);

	one->first = p->committed;
	keep_start(k, prefix->p[0], PIECES_VERSION);
	buf_add(&k->key, prefix->p + 1, prefix->n - 1);
	keep_number(&k->key, one->first);
	while (p->committed - p->away < p->rows.n && k->value.n < PIECE_BYTES)
		rowstore_save_row(&p->rows, p->committed++ - p->away, &k->value);
	one->n = p->committed - one->first;
	keep_put(k, &one->mark);
}

void pieces_commit(struct pieces *p, struct keep *k, const struct buf *prefix)
{
	while (p->committed - p->away < p->rows.n)
		commit_piece(p, k, prefix);
}

void pieces_gone(const struct pieces *p, const struct buf *prefix, struct keep_gone *gone)
{
	struct buf key = { 0 };

	for (uint32_t i = 0; i < p->n; i++) {
		key.n = 0;
		buf_add(&key, prefix->p, prefix->n);
		keep_number(&key, p->at[i].first);
		keep_gone_add(gone, key.p, key.n, p->at[i].mark);
	}
	buf_release(&key);
}

int pieces_load(struct pieces *p, struct bytes_in *key, struct bytes_in *value, uint32_t mark)
{
	uint64_t first = keep_get_number(key);
	struct piece *one;

	if (!keep_over(key) || value->bad || first > UINT32_MAX)
		return -1;
	one = add_piece(p);
	*one = (struct piece){ .first = (uint32_t)first, .loaded = (uint32_t)p->rows.n, .mark = mark };
	for (; value->p < value->end; one->n++)
		if (rowstore_load_row(&p->rows, &value->p, value->end))
			return -1;
	return 0;
}

static int by_first(const void *x, const void *y)
{
	uint32_t a = ((const struct piece *)x)->first, b = ((const struct piece *)y)->first;

	return a < b ? -1 : a > b;
}

int pieces_loaded(struct pieces *p)
{
	struct kept_row *rows;
	uint32_t i = 0;

	if (!p->rows.n)
		return p->n ? -1 : 0; /* no piece is empty */
	rows = xmalloc(p->rows.n * sizeof *rows);
	qsort(p->at, p->n, sizeof *p->at, by_first);
	for (; i < p->n && p->at[i].first == p->committed && p->at[i].n; i++) {
		memcpy(rows + p->committed, p->rows.rows + p->at[i].loaded, p->at[i].n * sizeof *rows);
		p->committed += p->at[i].n;
	}
	free(p->rows.rows);
	p->rows.rows = rows;
	p->rows.cap = p->rows.n;
	return i == p->n ? 0 : -1;
}

/* ---- rows that are away ---- */

void pieces_leave(struct pieces *p)
{
	rowstore_release(&p->rows);
	p->away = p->committed;
}

static int load_rows(struct bytes_in *value, struct rowstore *rows)
{
	while (!value->bad && value->p < value->end)
		if (rowstore_load_row(rows, &value->p, value->end))
			return -1;
	return value->bad ? -1 : 0;
}

int pieces_note(struct pieces *p, struct bytes_in *key, struct bytes_in *value, uint32_t mark)
{
	uint64_t first = keep_get_number(key);
	struct rowstore rows = { 0 };
	int bad = !keep_over(key) || first > UINT32_MAX || load_rows(value, &rows);

	if (!bad)
		*add_piece(p) = (struct piece){ .first = (uint32_t)first, .n = (uint32_t)rows.n, .mark = mark };
	rowstore_release(&rows);
	return bad ? -1 : 0;
}

int pieces_noted(struct pieces *p)
{
	if (p->n)
		qsort(p->at, p->n, sizeof *p->at, by_first);
	for (uint32_t i = 0; i < p->n; i++) {
		if (p->at[i].first != p->committed || !p->at[i].n)
			return -1;
		p->committed += p->at[i].n;
	}
	p->away = p->committed;
	return 0;
}

int pieces_fetch(const struct piece *one, const struct buf *prefix, const struct op *op, struct rowstore *rows, struct err *e)
{
	struct kept_entry ask = { 0 }, found;
	struct bytes_in value;
	struct buf key = { 0 };
	int got;

	buf_add(&key, prefix->p, prefix->n);
	keep_number(&key, one->first);
	ask.key = key.p;
	ask.key_n = key.n;
	got = op->run->fetch(op->run->fetch_ctx, op, &ask, &found, e);
	buf_release(&key);
	if (got < 0)
		return -1;
	if (got) {
		value = keep_open(found.value, found.n, PIECES_VERSION);
		got = !load_rows(&value, rows) && rows->n == one->n;
	}
	return got ? 0 : keep_refuse(op, e);
}
