#include "op/sliding_impl.h"

#include <stdlib.h>

static void add(struct slot_list *l, uint32_t what)
{
	l->at = xgrow(l->at, &l->cap, l->n + 1, sizeof *l->at);
	l->at[l->n++] = what;
}

/* ---- slots ---- */

uint32_t sliding_take_slot(struct sliding *s)
{
	uint32_t slot;

	if (s->unused.n)
		return s->unused.at[--s->unused.n];
	slot = s->n_slots++;
	s->cells = xgrow(s->cells, &s->cells_cap, s->n_slots, sizeof *s->cells);
	s->cells[slot] = (struct sliding_cell){ 0 };
	states_reserve(s->states, s->reducer, s->n_slots);
	return slot;
}

void sliding_free_slot(struct sliding *s, uint32_t slot)
{
	states_reset(s->states, s->reducer, slot);
	add(&s->unused, slot);
}

static char *state_at(const struct sliding *s, uint32_t call, uint32_t slot)
{
	return s->states[call].p + (size_t)slot * s->reducer->spec.calls[call].call.state_size;
}

/* A call's state into one with start values. States without anything behind them are their bytes. */
static void copy_call(struct sliding *s, struct agg_call *c, void *to, const void *from)
{
	const char *p;

	if (!c->def->release) {
		memcpy(to, from, c->state_size);
		return;
	}
	s->tmp.n = 0;
	c->def->save(c, from, &s->tmp);
	p = s->tmp.p;
	if (c->def->load(c, to, &p, s->tmp.p + s->tmp.n))
		BUG("%s: a state does not load again", c->def->doc.name);
}

/* Into a slot with start values. */
static void copy_state(struct sliding *s, uint32_t to, uint32_t from)
{
	for (uint32_t i = 0; i < s->reducer->spec.n_calls; i++)
		copy_call(s, &s->reducer->spec.calls[i].call, state_at(s, i, to), state_at(s, i, from));
}

/* `from` stays as it is: what merge may take from it, it takes from a copy. */
static void merge_copy(struct sliding *s, uint32_t to, uint32_t from)
{
	uint32_t slot = s->spare;

	for (uint32_t i = 0; i < s->reducer->spec.n_calls; i++) {
		struct agg_call *c = &s->reducer->spec.calls[i].call;

		if (c->def->retract && !(c->def->flags & AGG_USER)) {
			c->def->merge(c, state_at(s, i, to), state_at(s, i, from));
			continue;
		}
		copy_call(s, c, state_at(s, i, slot), state_at(s, i, from));
		c->def->merge(c, state_at(s, i, to), state_at(s, i, slot));
		if (c->def->release)
			c->def->release(c, state_at(s, i, slot));
		memset(state_at(s, i, slot), 0, c->state_size);
	}
}

static void retract(struct sliding *s, uint32_t from, uint32_t what)
{
	for (uint32_t i = 0; i < s->reducer->spec.n_calls; i++) {
		struct agg_call *c = &s->reducer->spec.calls[i].call;

		c->def->retract(c, state_at(s, i, from), state_at(s, i, what));
	}
}

/* ---- keys ---- */

void sliding_know_keys(struct sliding *s)
{
	uint32_t n = s->reducer->spec.n_keys ? s->groups.table.n : 1;

	if (n <= s->n_keys)
		return;
	s->keys = xgrow(s->keys, &s->keys_cap, n, sizeof *s->keys);
	for (uint32_t k = s->n_keys; k < n; k++)
		s->keys[k] = (struct sliding_key){ .total = SLIDING_NONE, .front = SLIDING_NONE };
	s->n_dead += n - s->n_keys;
	s->n_keys = n;
}

static void key_enters(struct sliding *s, uint32_t key)
{
	struct sliding_key *k = &s->keys[key];

	if (k->n_in++)
		return;
	s->n_live++;
	if (k->listed)
		return;
	k->listed = true;
	add(&s->list, key);
}

static void key_leaves(struct sliding *s, uint32_t key) { s->n_live -= !--s->keys[key].n_in; }

void sliding_forget_total(struct sliding *s, uint32_t key)
{
	struct sliding_key *k = &s->keys[key];

	if (k->total == SLIDING_NONE)
		return;
	sliding_free_slot(s, k->total);
	k->total = SLIDING_NONE;
}

static uint32_t key_total(struct sliding *s, uint32_t key)
{
	if (s->keys[key].total == SLIDING_NONE)
		s->keys[key].total = sliding_take_slot(s);
	return s->keys[key].total;
}

/* ---- slices ---- */

static uint32_t bucket_of(const struct sliding *s, int64_t number)
{
	return (uint32_t)((uint64_t)number * 0x9E3779B97F4A7C15 >> 32) & s->bucket_mask;
}

static void more_buckets(struct sliding *s)
{
	uint32_t n = s->bucket_mask ? (s->bucket_mask + 1) * 2 : 64;

	free(s->buckets);
	s->buckets = xmalloc(n * sizeof *s->buckets);
	memset(s->buckets, 0xff, n * sizeof *s->buckets);
	s->bucket_mask = n - 1;
	for (uint32_t i = 0; i < s->n_slices; i++) {
		uint32_t *b = &s->buckets[bucket_of(s, s->slices[i].number)];

		if (!s->slices[i].n && !s->slices[i].away)
			continue;
		s->slices[i].next = *b;
		*b = i;
	}
}

static uint32_t find_slice(const struct sliding *s, int64_t number)
{
	uint32_t at = s->buckets[bucket_of(s, number)];

	while (at != SLIDING_NONE && s->slices[at].number != number)
		at = s->slices[at].next;
	return at;
}

static uint32_t take_slice(struct sliding *s)
{
	uint32_t at = s->free_slice;

	s->used_slices++;
	if (at != SLIDING_NONE) {
		s->free_slice = s->slices[at].next;
		return at;
	}
	s->slices = xgrow(s->slices, &s->slices_cap, s->n_slices + 1, sizeof *s->slices);
	return s->n_slices++;
}

static void slice_enters_newer(struct sliding *s, uint32_t slice)
{
	struct slice *sl = &s->slices[slice];

	sl->side = SLICE_IN;
	if (s->inverse) {
		timers_add(&s->leaving, sl->number, slice, 0);
		return;
	}
	if (!s->newer.n || sl->number < s->newer_min)
		s->newer_min = sl->number;
	add(&s->newer, slice);
}

/* Where it belongs: records that come out of order may be of a slice that would have entered already. */
static void place_slice(struct sliding *s, uint32_t slice)
{
	struct slice *sl = &s->slices[slice];

	if (sl->number >= s->entered) {
		timers_add(&s->waiting, sl->number, slice, 0);
	} else if (s->inverse || sl->number > s->older_max) {
		slice_enters_newer(s, slice);
	} else {
		sl->side = SLICE_OLDER;
		timers_add(&s->leaving, sl->number, slice, 0);
	}
}

uint32_t sliding_slice(struct sliding *s, int64_t number)
{
	uint32_t at = find_slice(s, number), *bucket;

	if (at != SLIDING_NONE)
		return at;
	if (s->used_slices > s->bucket_mask)
		more_buckets(s);
	at = take_slice(s);
	bucket = &s->buckets[bucket_of(s, number)];
	s->slices[at] = (struct slice){ .number = number, .next = *bucket };
	*bucket = at;
	place_slice(s, at);
	return at;
}

int64_t sliding_first(const struct sliding *s, int64_t from)
{
	int64_t first = INT64_MAX;

	for (uint32_t i = 0; i < s->n_slices; i++)
		if ((s->slices[i].n || s->slices[i].away) && s->slices[i].number >= from && s->slices[i].number < first)
			first = s->slices[i].number;
	return first;
}

static void drop_slice(struct sliding *s, uint32_t slice)
{
	struct slice *sl = &s->slices[slice];
	uint32_t *link = &s->buckets[bucket_of(s, sl->number)];

	while (*link != slice)
		link = &s->slices[*link].next;
	*link = sl->next;
	s->away_cells -= sl->away;
	s->stale |= sl->away != 0;
	s->stale_again |= sl->away != 0;
	s->slice_bytes -= sl->cap * sizeof *sl->cells + (sl->map ? (sl->mask + 1) * sizeof *sl->map : 0);
	free(sl->cells);
	free(sl->map);
	*sl = (struct slice){ .next = s->free_slice };
	s->free_slice = slice;
	s->used_slices--;
}

/* ---- cells of slices ---- */

static uint32_t map_place(const struct slice *sl, uint32_t key)
{
	uint32_t at = (key * 0x9E3779B1u >> 7) & sl->mask;

	while (sl->map[at] && sl->map[at] >> 32 != key)
		at = (at + 1) & sl->mask;
	return at;
}

void sliding_make_map(struct sliding *s, struct slice *sl, uint32_t size)
{
	s->slice_bytes += (size - (sl->map ? (size_t)sl->mask + 1 : 0)) * sizeof *sl->map;
	free(sl->map);
	sl->map = xcalloc(size, sizeof *sl->map);
	sl->mask = size - 1;
	for (size_t i = 0; i < sl->n; i++) {
		uint32_t key = s->cells[sl->cells[i]].key;

		sl->map[map_place(sl, key)] = (uint64_t)key << 32 | (sl->cells[i] + 1);
	}
}

void sliding_rebuild_maps(struct sliding *s)
{
	for (uint32_t i = 0; i < s->n_slices; i++)
		if (s->slices[i].n)
			sliding_make_map(s, &s->slices[i], s->slices[i].mask + 1);
}

uint32_t sliding_find_cell(const struct sliding *s, uint32_t slice, uint32_t key)
{
	const struct slice *sl = &s->slices[slice];

	return sl->n ? (uint32_t)sl->map[map_place(sl, key)] - 1 : SLIDING_NONE;
}

uint32_t sliding_add_cell(struct sliding *s, uint32_t slice, uint32_t key)
{
	struct slice *sl = &s->slices[slice];
	struct sliding_key *k = &s->keys[key];
	uint32_t slot = sliding_take_slot(s);
	size_t cap = sl->cap;

	if (!sl->map || sl->n * 2 > sl->mask)
		sliding_make_map(s, sl, sl->map ? (sl->mask + 1) * 2 : 8);
	s->cells[slot] = (struct sliding_cell){ .key = key, .slice = slice, .suffix = SLIDING_NONE, .next = SLIDING_NONE };
	sl->map[map_place(sl, key)] = (uint64_t)key << 32 | (slot + 1);
	sl->cells = xgrow(sl->cells, &sl->cap, sl->n + 1, sizeof *sl->cells);
	sl->cells[sl->n++] = slot;
	s->slice_bytes += (sl->cap - cap) * sizeof *sl->cells;
	if (k->n_cells++)
		return slot;
	k->born = ++s->births;
	s->n_dead--;
	if (k->listed)
		s->sorted = 0; /* it stands where it stood before */
	return slot;
}

static void drop_cell(struct sliding *s, uint32_t slot)
{
	struct sliding_cell *c = &s->cells[slot];
	struct sliding_key *k = &s->keys[c->key];

	if (s->durable && c->mark)
		sliding_note_cell_gone(s, slot);
	if (c->suffix != SLIDING_NONE && c->suffix != slot)
		sliding_free_slot(s, c->suffix);
	c->changed = false;
	sliding_free_slot(s, slot);
	if (--k->n_cells)
		return;
	if (s->rolls)
		sliding_strike_off(s, c->key);
	k->born = 0;
	s->n_dead++;
}

/* ---- records ---- */

int sliding_begin(struct sliding *s, struct sliding_intake *in, const struct batch *b, struct err *e)
{
	uint32_t known = s->n_keys;

	*in = (struct sliding_intake){ .b = b, .cap = batch_rows() * 2 };
	in->row = arena_array(b->arena, uint32_t, in->cap);
	in->slot = arena_array(b->arena, uint32_t, in->cap);
	in->group = reducer_groups(s->reducer, &s->groups, b);
	in->args = reducer_args(s->reducer, b);
	sliding_know_keys(s);
	return s->away.n ? sliding_return(s, known, e) : 0;
}

void sliding_end(struct sliding *s, struct sliding_intake *in)
{
	if (in->n)
		states_update(s->states, s->reducer, in->slot, in->args, in->row, in->n, in->b);
	in->n = 0;
}

static void pair(struct sliding *s, struct sliding_intake *in, uint32_t row, uint32_t slot)
{
	if (in->n == in->cap)
		sliding_end(s, in);
	in->row[in->n] = row;
	in->slot[in->n++] = slot;
}

/* A cell among the key's on the older side; its suffix is that of those behind it. */
static void link_older(struct sliding *s, uint32_t slot)
{
	struct sliding_cell *c = &s->cells[slot];
	uint32_t *link = &s->keys[c->key].front, next;

	while ((next = *link) != SLIDING_NONE && s->slices[s->cells[next].slice].number < s->slices[c->slice].number)
		link = &s->cells[next].next;
	c->next = next;
	*link = slot;
	c->suffix = slot;
	if (s->durable) {
		uint32_t suffix = sliding_take_slot(s); /* cells may have moved */

		s->cells[slot].suffix = suffix;
	}
	if (next != SLIDING_NONE)
		copy_state(s, s->cells[slot].suffix, s->cells[next].suffix);
}

/* Into all suffixes that have the slice. */
static void row_into_older(struct sliding *s, struct sliding_intake *in, uint32_t row, uint32_t slot)
{
	int64_t last = s->slices[s->cells[slot].slice].number;
	uint32_t at = s->keys[s->cells[slot].key].front;

	if (s->cells[slot].suffix != slot)
		pair(s, in, row, slot);
	for (; at != SLIDING_NONE && s->slices[s->cells[at].slice].number <= last; at = s->cells[at].next)
		pair(s, in, row, s->cells[at].suffix);
}

static uint32_t new_cell(struct sliding *s, struct sliding_intake *in, uint32_t slice, uint32_t key)
{
	uint32_t slot = sliding_add_cell(s, slice, key);

	if (s->slices[slice].side == SLICE_WAITS)
		return slot;
	key_enters(s, key);
	if (s->slices[slice].side == SLICE_OLDER) {
		sliding_end(s, in); /* suffixes are to be read */
		link_older(s, slot);
	}
	return slot;
}

void sliding_row(struct sliding *s, struct sliding_intake *in, uint32_t k, uint32_t slice)
{
	uint32_t row = batch_row(in->b, k), key = in->group ? in->group[k] : 0, slot = sliding_find_cell(s, slice, key);

	if (slot == SLIDING_NONE) {
		uint64_t births = s->births;

		slot = new_cell(s, in, slice, key);
		if (s->births != births && in->group)
			groups_respell(&s->groups, key, s->reducer->key_cols, row); /* it is spelled as it comes now */
	}
	if (s->durable && !s->cells[slot].changed) {
		s->cells[slot].changed = true;
		add(&s->changed, slot);
	}
	if (s->slices[slice].side == SLICE_OLDER) {
		row_into_older(s, in, row, slot);
		return;
	}
	pair(s, in, row, slot);
	if (s->slices[slice].side == SLICE_IN)
		pair(s, in, row, key_total(s, key));
}

/* ---- the window moves ---- */

static void enter(struct sliding *s, uint32_t slice)
{
	s->away_in += s->slices[slice].away;
	for (size_t i = 0; i < s->slices[slice].n; i++) {
		uint32_t slot = s->slices[slice].cells[i], key = s->cells[slot].key;

		key_enters(s, key);
		merge_copy(s, key_total(s, key), slot);
	}
	slice_enters_newer(s, slice);
}

static void leave_inverse(struct sliding *s, uint32_t slice)
{
	s->away_in -= s->slices[slice].away;
	for (size_t i = 0; i < s->slices[slice].n; i++) {
		uint32_t slot = s->slices[slice].cells[i], key = s->cells[slot].key;

		key_leaves(s, key);
		if (s->keys[key].n_in)
			retract(s, s->keys[key].total, slot);
		else
			sliding_forget_total(s, key);
		drop_cell(s, slot);
	}
	drop_slice(s, slice);
}

static void leave_older(struct sliding *s, uint32_t slice)
{
	s->away_in -= s->slices[slice].away;
	for (size_t i = 0; i < s->slices[slice].n; i++) {
		uint32_t slot = s->slices[slice].cells[i], key = s->cells[slot].key;

		key_leaves(s, key);
		s->keys[key].front = s->cells[slot].next;
		drop_cell(s, slot);
	}
	drop_slice(s, slice);
}

static int by_number(const void *x, const void *y, void *ctx)
{
	const struct sliding *s = ctx;
	int64_t a = s->slices[*(const uint32_t *)x].number, b = s->slices[*(const uint32_t *)y].number;

	return a < b ? -1 : a > b;
}

/* To the front of the key's older side: the suffix is the cell and what stands behind it. */
static void turn_cell(struct sliding *s, uint32_t slot)
{
	uint32_t key = s->cells[slot].key, next = s->keys[key].front, suffix = slot;

	sliding_forget_total(s, key);
	if (s->durable) {
		suffix = sliding_take_slot(s);
		copy_state(s, suffix, slot);
	}
	s->cells[slot].suffix = suffix;
	s->cells[slot].next = next;
	s->keys[key].front = slot;
	if (next != SLIDING_NONE)
		merge_copy(s, suffix, s->cells[next].suffix);
}

/* The newer side becomes the older one: suffixes from the newest back. */
static void turn_over(struct sliding *s)
{
	qsort_r(s->newer.at, s->newer.n, sizeof *s->newer.at, by_number, s);
	s->older_max = s->slices[s->newer.at[s->newer.n - 1]].number;
	for (size_t i = s->newer.n; i-- > 0;) {
		struct slice *sl = &s->slices[s->newer.at[i]];

		for (size_t k = 0; k < sl->n; k++)
			turn_cell(s, sl->cells[k]);
		sl->side = SLICE_OLDER;
		timers_add(&s->leaving, sl->number, s->newer.at[i], 0);
	}
	s->newer.n = 0;
}

void sliding_place_cells(struct sliding *s, const uint32_t *slots, uint32_t n)
{
	for (uint32_t i = n; i-- > 0;) {
		if (s->slices[s->cells[slots[i]].slice].side != SLICE_OLDER)
			continue;
		key_enters(s, s->cells[slots[i]].key);
		turn_cell(s, slots[i]);
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t key = s->cells[slots[i]].key;

		if (s->slices[s->cells[slots[i]].slice].side != SLICE_IN)
			continue;
		key_enters(s, key);
		merge_copy(s, key_total(s, key), slots[i]);
	}
}

/* Between the windows. */
static void leave_unseen(struct sliding *s, uint32_t slice)
{
	for (size_t i = 0; i < s->slices[slice].n; i++)
		drop_cell(s, s->slices[slice].cells[i]);
	drop_slice(s, slice);
}

void sliding_leave(struct sliding *s, int64_t from)
{
	struct timer t;

	if (from == INT64_MIN)
		return;
	s->left = from > s->left ? from : s->left;
	while (timers_take(&s->waiting, from - 1, &t))
		leave_unseen(s, t.what);
	for (;;) {
		if (!s->inverse && !s->leaving.n && s->newer.n && s->newer_min < from)
			turn_over(s);
		if (!timers_take(&s->leaving, from - 1, &t))
			return;
		if (s->inverse)
			leave_inverse(s, t.what);
		else
			leave_older(s, t.what);
	}
}

void sliding_move(struct sliding *s, int64_t from, int64_t to)
{
	struct timer t;

	sliding_leave(s, from);
	s->entered = to;
	while (to > INT64_MIN && timers_take(&s->waiting, to - 1, &t))
		enter(s, t.what);
}

bool sliding_waiting(const struct sliding *s, int64_t *number)
{
	const struct timer *t = timers_first(&s->waiting);

	if (t)
		*number = t->at;
	return t;
}

/* ---- what a window says ---- */

static int by_birth(const void *x, const void *y, void *ctx)
{
	const struct sliding *s = ctx;
	uint64_t a = s->keys[*(const uint32_t *)x].born, b = s->keys[*(const uint32_t *)y].born;

	return a < b ? -1 : a > b;
}

/* Keys that are in the window no more go out of the list. */
static void weed(struct sliding *s)
{
	size_t n = 0, sorted = 0;

	for (size_t i = 0; i < s->list.n; i++) {
		uint32_t key = s->list.at[i];

		if (!s->keys[key].n_in) {
			s->keys[key].listed = false;
			continue;
		}
		sorted += i < s->sorted;
		s->list.at[n++] = key;
	}
	s->list.n = n;
	s->sorted = sorted;
}

/* The part in order and the one behind it into one. */
static void merge_list(struct sliding *s)
{
	size_t left = s->sorted, right = s->list.n - left, at = s->list.n;
	uint32_t *l = s->list.at, *tail = xmalloc((right + 1) * sizeof *tail);

	memcpy(tail, l + left, right * sizeof *tail);
	while (right)
		l[--at] = left && s->keys[l[left - 1]].born > s->keys[tail[right - 1]].born ? l[--left] : tail[--right];
	free(tail);
}

const uint32_t *sliding_keys(struct sliding *s, uint32_t *n)
{
	uint32_t *l;

	weed(s);
	l = s->list.at;
	if (s->sorted < s->list.n) {
		qsort_r(l + s->sorted, s->list.n - s->sorted, sizeof *l, by_birth, s);
		if (s->sorted && s->keys[l[s->sorted - 1]].born > s->keys[l[s->sorted]].born)
			merge_list(s);
	}
	s->sorted = s->list.n;
	*n = (uint32_t)s->list.n;
	return l;
}

uint32_t sliding_scratch(struct sliding *s)
{
	uint32_t slot = sliding_take_slot(s);

	add(&s->scratch, slot);
	return slot;
}

static uint32_t scratch_copy(struct sliding *s, uint32_t from)
{
	uint32_t slot = sliding_scratch(s);

	copy_state(s, slot, from);
	return slot;
}

static void key_states(struct sliding *s, const uint32_t *keys, uint32_t n, uint32_t *slots, bool copy)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t front = s->keys[keys[i]].front, total = s->keys[keys[i]].total;

		slots[i] = front == SLIDING_NONE ? total : s->cells[front].suffix;
		if (copy || (front != SLIDING_NONE && total != SLIDING_NONE))
			slots[i] = scratch_copy(s, slots[i]);
		if (front != SLIDING_NONE && total != SLIDING_NONE)
			merge_copy(s, slots[i], total);
	}
}

void sliding_states(struct sliding *s, const uint32_t *keys, uint32_t n, uint32_t *slots) { key_states(s, keys, n, slots, false); }

void sliding_copies(struct sliding *s, const uint32_t *keys, uint32_t n, uint32_t *slots) { key_states(s, keys, n, slots, true); }

void sliding_done(struct sliding *s)
{
	while (s->scratch.n)
		sliding_free_slot(s, s->scratch.at[--s->scratch.n]);
}

/* ---- all of it ---- */

/* Dead keys worth numbering the others anew for. */
#define DEAD_MIN 1024

static void renumber(struct sliding *s, const uint32_t *group)
{
	for (uint32_t i = 0; i < s->n_slices; i++)
		for (size_t k = 0; k < s->slices[i].n; k++) {
			struct sliding_cell *c = &s->cells[s->slices[i].cells[k]];

			c->key = group[c->key];
		}
	weed(s);
	for (size_t i = 0; i < s->list.n; i++)
		s->list.at[i] = group[s->list.at[i]];
	sliding_rebuild_maps(s);
}

void sliding_compact(struct sliding *s)
{
	if (s->reducer->spec.n_keys && s->n_dead >= DEAD_MIN && s->n_dead >= s->n_keys / 2)
		sliding_forget_dead(s);
}

void sliding_forget_dead(struct sliding *s)
{
	struct groups fresh;
	uint32_t *live, *map, *group, n = 0;

	live = xmalloc((s->n_keys + 1) * sizeof *live);
	map = xmalloc((s->n_keys + 1) * sizeof *map);
	group = xcalloc(s->n_keys + 1, sizeof *group);
	for (uint32_t k = 0; k < s->n_keys; k++)
		if (s->keys[k].n_cells)
			live[n++] = k;
	groups_init(&fresh, s->groups.n_keys);
	groups_copy(&fresh, &s->groups, live, n, map);
	for (uint32_t i = 0; i < n; i++)
		group[live[i]] = map[i];
	renumber(s, group);
	for (uint32_t i = 0; i < n; i++) { /* map[i] is i: the living keep their order */
		s->keys[map[i]] = s->keys[live[i]];
		fresh.table.entries[map[i]].user = s->groups.table.entries[live[i]].user;
	}
	groups_release(&s->groups);
	s->groups = fresh;
	s->n_keys = n;
	s->n_dead = 0;
	free(live);
	free(map);
	free(group);
}

void sliding_init(struct sliding *s, struct reducer *r)
{
	*s = (struct sliding){ .reducer = r, .inverse = reducer_retracts(r), .durable = r->op->run->durable, .states = states_new(r),
			       .free_slice = SLIDING_NONE, .older_max = INT64_MIN, .entered = INT64_MIN, .left = INT64_MIN, .left_kept = INT64_MIN };
	if (r->spec.n_keys)
		groups_init(&s->groups, r->spec.n_keys);
	if (r->spec.n_keys && s->durable)
		groups_init(&s->look, r->spec.n_keys);
	s->spare = sliding_take_slot(s);
	more_buckets(s);
}

void sliding_release(struct sliding *s)
{
	for (uint32_t i = 0; i < s->n_slices; i++) {
		free(s->slices[i].cells);
		free(s->slices[i].map);
	}
	states_free(s->states, s->reducer, s->n_slots);
	if (s->reducer->spec.n_keys)
		groups_release(&s->groups);
	groups_release(&s->look);
	away_release(&s->away);
	timers_release(&s->waiting);
	timers_release(&s->leaving);
	buf_release(&s->gone);
	buf_release(&s->tmp);
	free(s->keys);
	free(s->cells);
	free(s->slices);
	free(s->buckets);
	free(s->unused.at);
	free(s->scratch.at);
	free(s->newer.at);
	free(s->list.at);
	free(s->changed.at);
}

size_t sliding_memory(const struct sliding *s)
{
	size_t lists = s->unused.cap + s->scratch.cap + s->newer.cap + s->list.cap + s->changed.cap;

	return states_memory(s->states, s->reducer) + s->keys_cap * sizeof *s->keys + s->cells_cap * sizeof *s->cells +
	       s->slices_cap * sizeof *s->slices + s->slice_bytes + ((size_t)s->bucket_mask + 1 + lists) * sizeof(uint32_t) +
	       timers_memory(&s->waiting) + timers_memory(&s->leaving) + s->gone.cap + away_memory(&s->away) + (s->reducer->spec.n_keys ? groups_memory(&s->groups) : 0);
}

int sliding_check_memory(const struct sliding *s, struct err *e)
{
	return s->settling ? 0 : op_check_memory(s->reducer->op, s->n_keys + s->away.n, e);
}
