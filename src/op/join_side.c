#include "op/join_side.h"

#include <stdlib.h>

static struct join_list *list_of(struct join_side *s, uint32_t group)
{
	if (group >= s->n_lists) {
		s->lists = xgrow(s->lists, &s->lists_cap, (size_t)group + 1, sizeof *s->lists);
		for (; s->n_lists <= group; s->n_lists++)
			s->lists[s->n_lists] = (struct join_list){ .head = JOIN_NONE, .tail = JOIN_NONE, .from = JOIN_NONE };
	}
	return &s->lists[group];
}

static void note_order(struct join_list *l, int64_t latest, struct join_row *r)
{
	int64_t back;

	if (r->at >= latest)
		return;
	r->latest = latest;
	if (__builtin_sub_overflow(latest, r->at, &back))
		back = INT64_MAX;
	if (back > l->back)
		l->back = back;
}

struct join_row *join_side_room(struct join_side *s)
{
	s->rows = xgrow(s->rows, &s->cap, (size_t)s->n + 1, sizeof *s->rows);
	s->next = xgrow(s->next, &s->next_cap, (size_t)s->n + 1, sizeof *s->next);
	return &s->rows[s->n];
}

void join_side_link(struct join_side *s, uint32_t at)
{
	struct join_row *r = &s->rows[at];
	struct join_list *l;

	s->next[at] = JOIN_NONE;
	if (r->group == JOIN_NONE)
		return;
	l = list_of(s, r->group);
	r->latest = r->at;
	if (l->head == JOIN_NONE) {
		*l = (struct join_list){ .head = at, .from = JOIN_NONE };
	} else {
		s->next[l->tail] = at;
		note_order(l, l->latest, r);
	}
	l->tail = at;
	l->latest = r->latest;
}

void join_side_relink(struct join_side *s)
{
	s->n_lists = 0;
	for (uint32_t i = 0; i < s->n; i++)
		if (!s->rows[i].dead)
			join_side_link(s, i);
}

uint32_t join_side_add(struct join_side *s, const struct batch *b, uint32_t row, const struct join_stamp *stamp)
{
	struct join_row *r;
	uint32_t n = b->schema->n + stamp->n_extra;

	r = join_side_room(s);
	r->schema = b->schema;
	r->v = arena_array(&s->arena, struct value, n + 1);
	r->n = n;
	r->group = stamp->group;
	r->matched = r->dead = false;
	r->lone = stamp->lone;
	r->at = stamp->at;
	r->start = stamp->start;
	r->end = stamp->end;
	r->mark = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct value v = i < b->schema->n ? column_get(&b->cols[i], row) : stamp->extra[i - b->schema->n];

		r->v[i] = value_copy(&s->arena, &v);
	}
	r->raw = b->raw ? value_copy(&s->arena, &b->raw[row]) : v_null();
	s->seen = b->schema;
	r->id = ++s->kept.ids;
	join_side_link(s, s->n);
	return s->n++;
}

uint32_t join_side_first(struct join_side *s, uint32_t group)
{
	struct join_list *l = group < s->n_lists ? &s->lists[group] : NULL;

	if (!l)
		return JOIN_NONE;
	while (l->head != JOIN_NONE && s->rows[l->head].dead)
		l->head = s->next[l->head];
	return l->head;
}

uint32_t join_side_next(struct join_side *s, uint32_t at)
{
	uint32_t next = s->next[at];

	while (next != JOIN_NONE && s->rows[next].dead) {
		struct join_list *l = &s->lists[s->rows[at].group];

		if (l->tail == next)
			l->tail = at;
		next = s->next[next];
	}
	s->next[at] = next;
	return next;
}

uint32_t join_side_first_from(struct join_side *s, uint32_t group, int64_t low)
{
	uint32_t at = join_side_first(s, group);
	struct join_list *l;

	if (at == JOIN_NONE || low == INT64_MIN)
		return at;
	l = &s->lists[group];
	if (l->from != JOIN_NONE && l->low <= low && !s->rows[l->from].dead)
		at = l->from;
	while (s->rows[at].latest < low && join_side_next(s, at) != JOIN_NONE)
		at = s->next[at];
	l->from = at;
	l->low = low;
	return at;
}

bool join_side_beyond(const struct join_side *s, uint32_t at, int64_t high)
{
	const struct join_row *r = &s->rows[at];
	int64_t least;

	return !__builtin_sub_overflow(r->latest, s->lists[r->group].back, &least) && least > high;
}

void join_side_kill(struct join_side *s, uint32_t row)
{
	s->n_dead += !s->rows[row].dead;
	s->rows[row].dead = true;
	join_side_forget(s, row);
}

/* Dead rows that are worth a copy of the living. */
#define WORN_MIN 4096

bool join_side_worn(const struct join_side *s)
{
	return s->n_dead > WORN_MIN && s->n_dead > s->n / 2;
}

void join_side_rebuild(struct join_side *s, const uint32_t *map, uint32_t *rows)
{
	struct join_side fresh = { .seen = s->seen, .number = s->number, .kept = s->kept };

	s->kept = (struct join_kept){ 0 };
	fresh.kept.n = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		struct join_row *r = &s->rows[i], *copy;

		if (rows)
			rows[i] = JOIN_NONE;
		if (r->dead)
			continue;
		copy = join_side_room(&fresh);
		*copy = *r;
		copy->v = arena_array(&fresh.arena, struct value, r->n + 1);
		for (uint32_t c = 0; c < r->n; c++)
			copy->v[c] = value_copy(&fresh.arena, &r->v[c]);
		copy->raw = value_copy(&fresh.arena, &r->raw);
		if (r->group != JOIN_NONE)
			copy->group = map[r->group];
		join_side_link(&fresh, fresh.n);
		if (rows)
			rows[i] = fresh.n;
		fresh.n++;
		if (copy->mark)
			fresh.kept.n = fresh.n;
	}
	fresh.fresh = fresh.n;
	join_side_release(s);
	*s = fresh;
}

void join_side_clear(struct join_side *s)
{
	arena_reset(&s->arena);
	s->n = s->n_dead = s->fresh = s->n_lists = s->kept.n = 0;
}

void join_side_release(struct join_side *s)
{
	free(s->rows);
	free(s->next);
	free(s->lists);
	free(s->kept.changed);
	keep_gone_release(&s->kept.gone);
	arena_release(&s->arena);
	*s = (struct join_side){ 0 };
}

size_t join_side_memory(const struct join_side *s)
{
	return s->cap * sizeof *s->rows + s->next_cap * sizeof *s->next + s->lists_cap * sizeof *s->lists + s->arena.total + s->kept.changed_cap * sizeof *s->kept.changed +
	       s->kept.gone.b.cap;
}
