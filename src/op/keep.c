#include "op/keep.h"

#include <stdlib.h>

/* ---- out ---- */

void keep_start(struct keep *k, char tag, uint8_t version)
{
	k->key.n = k->value.n = 0;
	buf_char(&k->key, tag);
	buf_char(&k->value, (char)version);
}

void keep_number(struct buf *b, uint64_t n)
{
	struct value v = v_int((int64_t)n);

	value_save(b, &v);
}

void keep_put(struct keep *k, uint32_t *mark)
{
	k->to->put(k->to, k->key.p, k->key.n, k->value.p, k->value.n, mark);
}

void keep_drop(struct keep *k, uint32_t *mark)
{
	if (*mark)
		k->to->drop(k->to, k->key.p, k->key.n, mark);
	*mark = 0;
}

void keep_release(struct keep *k)
{
	buf_release(&k->key);
	buf_release(&k->value);
}

/* ---- gone ---- */

void keep_gone_add(struct keep_gone *g, const char *key, size_t n, uint32_t mark)
{
	if (!mark)
		return;
	put_le(&g->b, mark, 4);
	put_bytes(&g->b, (struct store_bytes){ key, n });
}

void keep_gone_commit(struct keep_gone *g, struct keeper *to)
{
	struct bytes_in in = { .p = g->b.p, .end = g->b.p + g->b.n };

	while (in.p < in.end) {
		uint32_t mark = (uint32_t)get_le(&in, 4);
		struct store_bytes key = get_bytes(&in);

		to->drop(to, key.p, key.n, &mark);
	}
	keep_gone_release(g);
}

void keep_gone_release(struct keep_gone *g) { buf_release(&g->b); }

/* ---- what changed ---- */

void keep_dirty_add(struct keep_dirty *d, uint32_t i)
{
	size_t had = d->is_cap;

	if (i / 64 >= d->is_cap) {
		d->is = xgrow(d->is, &d->is_cap, (size_t)i / 64 + 1, sizeof *d->is);
		memset(d->is + had, 0, (d->is_cap - had) * sizeof *d->is);
	}
	if (bit_get(d->is, i))
		return;
	bit_set(d->is, i);
	d->at = xgrow(d->at, &d->cap, d->n + 1, sizeof *d->at);
	d->at[d->n++] = i;
}

uint32_t keep_dirty_take(struct keep_dirty *d)
{
	while (d->n) {
		uint32_t i = d->at[--d->n];

		if (!bit_get(d->is, i))
			continue;
		bit_clear(d->is, i);
		return i;
	}
	return UINT32_MAX;
}

void keep_dirty_rename(struct keep_dirty *d, const uint32_t *names)
{
	struct keep_dirty fresh = { 0 };
	uint32_t i;

	while ((i = keep_dirty_take(d)) != UINT32_MAX)
		if (names[i] != UINT32_MAX)
			keep_dirty_add(&fresh, names[i]);
	keep_dirty_release(d);
	*d = fresh;
}

void keep_dirty_clear(struct keep_dirty *d)
{
	while (keep_dirty_take(d) != UINT32_MAX)
		;
}

void keep_dirty_release(struct keep_dirty *d)
{
	free(d->at);
	free(d->is);
	*d = (struct keep_dirty){ 0 };
}

size_t keep_dirty_memory(const struct keep_dirty *d)
{
	return d->cap * sizeof *d->at + d->is_cap * sizeof *d->is;
}

/* ---- in ---- */

struct bytes_in keep_open(const char *value, size_t n, uint8_t version)
{
	struct bytes_in in = { .p = value, .end = value + n };

	if (get_le(&in, 1) != version)
		in.bad = true;
	return in;
}

struct value keep_get_value(struct bytes_in *in, struct arena *a)
{
	struct value v = v_null();

	if (!in->bad && value_load(&in->p, in->end, a, &v))
		in->bad = true;
	return in->bad ? v_null() : v;
}

static int64_t get_scalar(struct bytes_in *in, enum type t)
{
	struct arena none = { 0 };
	bool is = in->p < in->end && value_saved_type(in->p) == t;
	struct value v = is ? keep_get_value(in, &none) : v_null();

	in->bad |= v.type != t;
	return in->bad ? 0 : v.i;
}

int64_t keep_get_time(struct bytes_in *in) { return get_scalar(in, T_TIME); }

uint64_t keep_get_number(struct bytes_in *in) { return (uint64_t)get_scalar(in, T_INT); }

int keep_refuse(const struct op *op, struct err *e)
{
	return err_set(e, ERR_IO, "stage %d: %s: an entry of the checkpoint that it did not write", op->stage, op->word);
}
