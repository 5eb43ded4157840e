#include "state/memtab.h"
#include "state/saved.h"

#include <stdlib.h>

static void clear_stages(struct saved *s)
{
	for (size_t i = 0; i < s->n_stages; i++)
		free(s->stages[i].name);
	s->n_stages = 0;
}

void saved_release(struct saved *s)
{
	clear_stages(s);
	free(s->stages);
	buf_release(&s->text);
	buf_release(&s->commit.data);
	buf_release(&s->cut.data);
	*s = (struct saved){ 0 };
}

void saved_clear_program(struct saved *s)
{
	clear_stages(s);
	s->text.n = 0;
	s->has_program = false;
}

struct saved_stage *saved_find(const struct saved *s, uint32_t id)
{
	for (size_t i = 0; i < s->n_stages; i++)
		if (s->stages[i].id == id)
			return &s->stages[i];
	return NULL;
}

struct saved_stage *saved_add(struct saved *s, uint32_t id, struct store_bytes name, uint64_t fingerprint)
{
	struct saved_stage *stage;

	s->stages = xgrow(s->stages, &s->cap, s->n_stages + 1, sizeof *s->stages);
	stage = &s->stages[s->n_stages++];
	*stage = (struct saved_stage){ .id = id, .fingerprint = fingerprint, .name = xstrndup(name.p, name.n) };
	return stage;
}

void saved_set_point(struct saved_point *p, const struct store_point *from)
{
	p->is = true;
	p->at = *from;
	p->data.n = 0;
	buf_add(&p->data, from->data.p, from->data.n);
	p->at.data.p = p->data.p;
}

/* `more` bytes of the item follow, by the caller. */
static void put_item(struct buf *b, enum item_type type, struct store_bytes body, size_t more)
{
	put_varint(b, type);
	put_varint(b, body.n + more);
	buf_add(b, body.p, body.n);
}

static struct store_bytes all(const struct buf *b) { return (struct store_bytes){ b->p, b->n }; }

void item_put_program(struct buf *b, const struct saved *s)
{
	struct buf body = { 0 };

	put_bytes(&body, all(&s->text));
	put_varint(&body, s->next_id);
	put_varint(&body, s->n_stages);
	for (size_t i = 0; i < s->n_stages; i++) {
		put_varint(&body, s->stages[i].id);
		put_le(&body, s->stages[i].fingerprint, 8);
		put_bytes(&body, (struct store_bytes){ s->stages[i].name, strlen(s->stages[i].name) });
	}
	put_item(b, ITEM_PROGRAM, all(&body), 0);
	buf_release(&body);
}

static void put_point(struct buf *b, const struct store_point *p)
{
	put_varint(b, p->batch);
	put_le(b, (uint64_t)p->time, 8);
	put_bytes(b, p->data);
}

void item_put_cut(struct buf *b, const struct store_point *cut)
{
	struct buf body = { 0 };

	put_point(&body, cut);
	put_item(b, ITEM_CUT, all(&body), 0);
	buf_release(&body);
}

void item_put_commit(struct buf *b, const struct saved *s, const struct store_point *commit, struct store_bytes changes)
{
	struct buf body = { 0 };

	put_point(&body, commit);
	put_varint(&body, s->n_stages);
	for (size_t i = 0; i < s->n_stages; i++) {
		put_varint(&body, s->stages[i].id);
		put_varint(&body, s->stages[i].keys);
		put_le(&body, s->stages[i].sum, 8);
	}
	put_item(b, ITEM_COMMIT, all(&body), changes.n);
	buf_add(b, changes.p, changes.n);
	buf_release(&body);
}

void item_put_seal(struct buf *b) { put_item(b, ITEM_SEAL, (struct store_bytes){ NULL, 0 }, 0); }

int item_next(struct bytes_in *in, struct item *item)
{
	uint64_t type;

	if (in->bad || in->p == in->end)
		return in->bad ? -1 : 0;
	type = get_varint(in);
	item->body = get_bytes(in);
	item->type = (uint32_t)type;
	return in->bad || type < ITEM_PROGRAM || type > ITEM_SEAL ? -1 : 1;
}

/* The counts of a stage that goes on stay. */
static int apply_program(struct saved *s, struct bytes_in *in)
{
	struct store_bytes text = get_bytes(in);
	struct saved old = *s;
	uint64_t n;

	s->stages = NULL;
	s->n_stages = s->cap = 0;
	saved_clear_program(s);
	buf_add(&s->text, text.p, text.n);
	s->next_id = (uint32_t)get_varint(in);
	n = get_varint(in);
	for (uint64_t i = 0; i < n && !in->bad; i++) {
		uint64_t id = get_varint(in), fingerprint = get_le(in, 8);
		const struct saved_stage *was = saved_find(&old, (uint32_t)id);
		struct saved_stage *stage = saved_add(s, (uint32_t)id, get_bytes(in), fingerprint);

		in->bad |= !id || id >= s->next_id;
		stage->keys = was ? was->keys : 0;
		stage->sum = was ? was->sum : 0;
	}
	s->has_program = true;
	clear_stages(&old);
	free(old.stages);
	return in->bad || in->p != in->end ? -1 : 0;
}

static struct store_point get_point(struct bytes_in *in)
{
	struct store_point p = { .batch = get_varint(in) };

	p.time = (int64_t)get_le(in, 8);
	p.data = get_bytes(in);
	return p;
}

static int apply_commit(struct saved *s, struct bytes_in *in, struct store_bytes *changes)
{
	struct store_point at = get_point(in);
	uint64_t n = get_varint(in);

	for (uint64_t i = 0; i < n && !in->bad; i++) {
		struct saved_stage *stage = saved_find(s, (uint32_t)get_varint(in));
		uint64_t keys = get_varint(in), sum = get_le(in, 8);

		if (!stage)
			return -1;
		stage->keys = keys;
		stage->sum = sum;
	}
	if (in->bad || n != s->n_stages)
		return -1;
	saved_set_point(&s->commit, &at);
	s->cut.is = false;
	*changes = (struct store_bytes){ in->p, (size_t)(in->end - in->p) };
	while (in->p < in->end)
		if (!change_get(in).stage)
			return -1;
	return 0;
}

int saved_apply(struct saved *s, const struct item *item, struct store_bytes *changes)
{
	struct bytes_in in = { item->body.p, item->body.p + item->body.n, false };
	struct store_point at;

	*changes = (struct store_bytes){ in.end, 0 };
	switch (item->type) {
	case ITEM_PROGRAM:
		return apply_program(s, &in);
	case ITEM_COMMIT:
		return apply_commit(s, &in, changes);
	case ITEM_CUT:
		at = get_point(&in);
		if (in.bad || in.p != in.end)
			return -1;
		saved_set_point(&s->cut, &at);
		return 0;
	default:
		return in.p == in.end ? 0 : -1;
	}
}
