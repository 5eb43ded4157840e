#include "op/away_times.h"

#include <stdlib.h>

#define LEAST 4096 /* bytes that are worth keeping, whatever the memory */

static void sift_up(struct away_times *t, size_t i)
{
	struct away_time e = t->heap[i];

	for (; i && e.at < t->heap[(i - 1) / 2].at; i = (i - 1) / 2)
		t->heap[i] = t->heap[(i - 1) / 2];
	t->heap[i] = e;
}

static void sift_down(struct away_times *t)
{
	struct away_time e = t->heap[0];
	size_t i = 0;

	for (size_t kid; (kid = 2 * i + 1) < t->n; i = kid) {
		if (kid + 1 < t->n && t->heap[kid + 1].at < t->heap[kid].at)
			kid++;
		if (t->heap[kid].at >= e.at)
			break;
		t->heap[i] = t->heap[kid];
	}
	t->heap[i] = e;
}

static size_t used(const struct away_times *t) { return t->n * sizeof *t->heap + t->keys.n; }

/* Keys that are nobody's go. */
static void repack(struct away_times *t)
{
	struct buf fresh = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		uint32_t from = (uint32_t)fresh.n;

		buf_add(&fresh, t->keys.p + t->heap[i].from, t->heap[i].n);
		t->heap[i].from = from;
	}
	buf_release(&t->keys);
	t->keys = fresh;
	t->lost = 0;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = ((const struct away_time *)a)->at, y = ((const struct away_time *)b)->at;

	return x < y ? -1 : x > y;
}

/* The further half goes; sorted, the rest is a heap. */
static void cut(struct away_times *t)
{
	qsort(t->heap, t->n, sizeof *t->heap, by_time);
	t->n /= 2;
	t->horizon = t->heap[t->n].at;
	t->cut = true;
	repack(t);
}

static void make_room(struct away_times *t, size_t more)
{
	size_t most = t->most < LEAST ? LEAST : t->most > UINT32_MAX / 2 ? UINT32_MAX / 2 : t->most;

	if (used(t) + more <= most)
		return;
	if (t->lost > used(t) / 4)
		repack(t);
	else if (t->n > 1)
		cut(t);
}

void away_times_add(struct away_times *t, int64_t at, struct store_bytes key)
{
	if (!away_times_wants(t, at) || key.n > UINT32_MAX / 2)
		return;
	make_room(t, key.n + sizeof *t->heap);
	if (!away_times_wants(t, at))
		return;
	t->heap = xgrow(t->heap, &t->cap, t->n + 1, sizeof *t->heap);
	t->heap[t->n] = (struct away_time){ at, (uint32_t)t->keys.n, (uint32_t)key.n };
	buf_add(&t->keys, key.p, key.n);
	sift_up(t, t->n++);
}

bool away_times_take(struct away_times *t, int64_t until, struct buf *key)
{
	struct away_time e;

	if (!t->n || t->heap[0].at >= until)
		return false;
	e = t->heap[0];
	t->heap[0] = t->heap[--t->n];
	if (t->n)
		sift_down(t);
	key->n = 0;
	buf_add(key, t->keys.p + e.from, e.n);
	t->lost += e.n;
	if (!t->n)
		t->keys.n = t->lost = 0;
	return true;
}

void away_times_renew(struct away_times *t)
{
	t->n = t->keys.n = t->lost = 0;
	t->cut = false;
}

void away_times_release(struct away_times *t)
{
	free(t->heap);
	buf_release(&t->keys);
	*t = (struct away_times){ 0 };
}

size_t away_times_memory(const struct away_times *t) { return t->cap * sizeof *t->heap + t->keys.cap; }
