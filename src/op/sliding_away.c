/* Keys of sliding windows that leave memory, with all their cells, and come back.
 *
 * A key leaves at a commit: all its cells go into one entry of the roll, which lies among the others in the order of the keys' first appearances, and their own
 * entries are dropped. The roll's stays when the key comes back: cells that change are entries again and stand above it. It goes with the key's last cell, which
 * of a key that is away is found out when the roll is read (sliding_view.c). */
#include <stdlib.h>

#include "op/sliding_impl.h"

#define ROLL_VERSION 1
#define NAME_VERSION 1
#define KEY_BYTES_MAX 400 /* of a key that may leave: entries with long keys come in no order */

/* ---- the roll ---- */

static void roll_key(uint64_t born, struct buf *out)
{
	sliding_put_number(out, SLIDING_ROLL);
	put_le(out, __builtin_bswap64(born), SLIDING_NUMBER_BYTES);
}

int sliding_open_roll(const struct kept_entry *entry, struct sliding_rolled *out)
{
	struct bytes_in key = { .p = entry->key, .end = entry->key + entry->key_n };
	struct bytes_in in = keep_open(entry->value, entry->n, ROLL_VERSION);

	sliding_get_number(&key);
	out->born = __builtin_bswap64(get_le(&key, SLIDING_NUMBER_BYTES));
	out->mark = entry->mark;
	out->name_mark = (uint32_t)get_le(&in, 4);
	out->key = get_bytes(&in);
	out->n_cells = get_varint(&in);
	out->cells = in;
	return !keep_over(&key) || in.bad || !out->born || out->born >> 56 || !out->name_mark ? -1 : 0;
}

bool sliding_is_roll(struct store_bytes key, struct store_bytes value, struct store_bytes *values)
{
	struct kept_entry entry = { key.p, value.p, key.n, value.n, 1 };
	struct bytes_in in = { .p = key.p, .end = key.p + key.n };
	struct sliding_rolled r;

	if (sliding_get_number(&in) != SLIDING_ROLL || key.n != SLIDING_ROLL_BYTES || sliding_open_roll(&entry, &r))
		return false;
	*values = r.key;
	return true;
}

bool sliding_next_rolled(const struct sliding *s, struct sliding_rolled *r, int64_t *number, struct store_bytes *states)
{
	while (r->n_cells && !r->cells.bad) {
		r->n_cells--;
		*number = keep_get_int(&r->cells);
		*states = get_bytes(&r->cells);
		if (*number >= s->left && !r->cells.bad)
			return true;
	}
	return false;
}

int sliding_load_states(struct sliding *s, uint32_t slot, struct store_bytes states)
{
	const char *p = states.p;

	return states_load(s->states, s->reducer, slot, &p, p + states.n) || p != states.p + states.n ? -1 : 0;
}

static void name_key(const char *values, size_t n, struct buf *out)
{
	sliding_put_number(out, SLIDING_NAME);
	buf_add(out, values, n);
}

void sliding_bury(struct sliding *s, const struct sliding_rolled *r)
{
	struct buf b = { 0 };

	roll_key(r->born, &b);
	sliding_note_gone(s, (struct store_bytes){ b.p, b.n }, r->mark);
	b.n = 0;
	name_key(r->key.p, r->key.n, &b);
	sliding_note_gone(s, (struct store_bytes){ b.p, b.n }, r->name_mark);
	buf_release(&b);
}

void sliding_strike_off(struct sliding *s, uint32_t key)
{
	uint32_t *mark = &s->groups.table.entries[key].user;
	struct sliding_rolled r = { .born = s->keys[key].born, .name_mark = s->keys[key].name_mark, .mark = *mark };
	struct buf b = { 0 };

	if (!*mark)
		return;
	groups_save(&s->groups, key, &b);
	r.key = (struct store_bytes){ b.p, b.n };
	sliding_bury(s, &r);
	*mark = s->keys[key].name_mark = 0;
	buf_release(&b);
}

/* ---- leaving ---- */

/* Of --mem, in bytes in use: from 3/8 on keys leave, down to 7/8 of that, since what leaves at a time is written at a time. Columns may be twice as large as
 * what is in use. What is known of those that are away takes of it too. */
static size_t leave_from(const struct sliding *s)
{
	size_t all = (size_t)s->reducer->op->run->mem_max, aside = away_memory(&s->away);

	return (aside < all / 2 ? all - aside : all / 2) / 8 * 3;
}

static size_t in_use(const struct sliding *s)
{
	const struct reducer *r = s->reducer;
	const struct keytab *t = &s->groups.table;
	size_t slot = sizeof *s->cells, key = sizeof *s->keys + sizeof *t->entries, rest = s->slice_bytes + t->long_keys.total;

	for (uint32_t i = 0; i < r->spec.n_calls; i++) {
		slot += r->spec.calls[i].call.state_size;
		rest += r->spec.calls[i].call.heap_bytes;
	}
	return rest + (s->n_slots - s->unused.n) * slot + s->n_keys * key + ((size_t)t->mask + 1) * sizeof *t->slots + keytab_leap(t);
}

static bool is_short(const struct sliding *s)
{
	const struct run *run = s->reducer->op->run;
	size_t used;

	if (!run->mem_max || !run->fetch || !s->reducer->spec.n_keys)
		return false;
	used = in_use(s);
	return used >= leave_from(s) && used >= s->leave_at;
}

static bool may_leave(struct sliding *s, uint32_t key)
{
	struct key_bytes bytes;

	keytab_key(&s->groups.table, key, &bytes);
	return bytes.n <= KEY_BYTES_MAX && away_add_group(&s->away, &s->groups, key);
}

/* Those without a record for the longest time leave; of the others as many stay as may. */
bool sliding_choose(struct sliding *s)
{
	uint32_t stay;
	bool any = false;

	if (!is_short(s))
		return false;
	stay = (uint32_t)((double)leave_from(s) / 8 * 7 / ((double)in_use(s) / (s->n_keys - s->n_dead + 1.0)));
	for (uint32_t key = 0; key < s->n_keys; key++) {
		struct sliding_key *k = &s->keys[key];
		bool recent = k->recent;

		k->recent = false;
		if (!k->n_cells)
			continue;
		if (recent && stay)
			stay--;
		else
			any |= k->leaves = may_leave(s, key);
		s->left_memory += k->leaves;
	}
	return any;
}

/* Cells of those that leave: of key k from from[k] on, ascending by their slices. */
struct leaving {
	uint32_t *from, *at;
};

static int by_number(const void *x, const void *y, void *ctx)
{
	const struct sliding *s = ctx;
	int64_t a = s->slices[*(const uint32_t *)x].number, b = s->slices[*(const uint32_t *)y].number;

	return a < b ? -1 : a > b;
}

static void gather(const struct sliding *s, struct leaving *l)
{
	uint32_t *slices = xmalloc((s->n_slices + 1) * sizeof *slices), n = 0, sum = 0;

	l->from = xmalloc((s->n_keys + 1) * sizeof *l->from);
	for (uint32_t k = 0; k < s->n_keys; k++) {
		l->from[k] = sum;
		sum += s->keys[k].leaves ? s->keys[k].n_cells : 0;
	}
	l->at = xmalloc((sum + 1) * sizeof *l->at);
	for (uint32_t i = 0; i < s->n_slices; i++)
		if (s->slices[i].n)
			slices[n++] = i;
	if (n)
		qsort_r(slices, n, sizeof *slices, by_number, (void *)(uintptr_t)s);
	for (uint32_t i = 0; i < n; i++) {
		const struct slice *sl = &s->slices[slices[i]];

		for (size_t c = 0; c < sl->n; c++)
			if (s->keys[s->cells[sl->cells[c]].key].leaves)
				l->at[l->from[s->cells[sl->cells[c]].key]++] = sl->cells[c];
	}
	for (uint32_t k = 0; k < s->n_keys; k++)
		l->from[k] -= s->keys[k].leaves ? s->keys[k].n_cells : 0;
	free(slices);
}

static void put_name(struct sliding *s, uint32_t key, struct keep *k)
{
	k->key.n = k->value.n = 0;
	sliding_put_number(&k->key, SLIDING_NAME);
	groups_save(&s->groups, key, &k->key);
	buf_char(&k->value, NAME_VERSION);
	put_le(&k->value, s->keys[key].born, 8);
	keep_put(k, &s->keys[key].name_mark);
}

static void put_roll(struct sliding *s, uint32_t key, const uint32_t *slots, struct keep *k)
{
	struct buf b = { 0 };

	if (!s->groups.table.entries[key].user)
		put_name(s, key, k);
	k->key.n = k->value.n = 0;
	roll_key(s->keys[key].born, &k->key);
	buf_char(&k->value, ROLL_VERSION);
	put_le(&k->value, s->keys[key].name_mark, 4);
	groups_save(&s->groups, key, &b);
	put_bytes(&k->value, (struct store_bytes){ b.p, b.n });
	put_varint(&k->value, s->keys[key].n_cells);
	for (uint32_t i = 0; i < s->keys[key].n_cells; i++) {
		keep_int(&k->value, s->slices[s->cells[slots[i]].slice].number);
		b.n = 0;
		states_save(s->states, s->reducer, slots[i], &b);
		put_bytes(&k->value, (struct store_bytes){ b.p, b.n });
	}
	keep_put(k, &s->groups.table.entries[key].user);
	buf_release(&b);
}

static void drop_cells(struct sliding *s, const uint32_t *slots, uint32_t n, struct keep *k)
{
	for (uint32_t i = 0; i < n; i++) {
		struct sliding_cell *c = &s->cells[slots[i]];

		k->key.n = 0;
		sliding_cell_key(s, slots[i], &k->key);
		keep_drop(k, &c->mark);
		if (c->suffix != SLIDING_NONE && c->suffix != slots[i])
			sliding_free_slot(s, c->suffix);
		sliding_free_slot(s, slots[i]);
	}
}

static void forget_key(struct sliding *s, uint32_t key)
{
	struct sliding_key *k = &s->keys[key];

	sliding_forget_total(s, key);
	s->n_live -= k->n_in != 0;
	s->n_dead++;
	*k = (struct sliding_key){ .total = SLIDING_NONE, .front = SLIDING_NONE, .listed = k->listed };
	s->groups.table.entries[key].user = 0; /* the entry stays */
}

/* The slice without cells of keys that leave. */
static void thin(struct sliding *s, struct slice *sl)
{
	size_t n = 0, size = 8;

	for (size_t i = 0; i < sl->n; i++)
		if (!s->keys[s->cells[sl->cells[i]].key].leaves)
			sl->cells[n++] = sl->cells[i];
	sl->away += sl->n - n;
	s->away_cells += sl->n - n;
	s->away_in += sl->side == SLICE_WAITS ? 0 : sl->n - n;
	s->slice_bytes -= (sl->cap - n) * sizeof *sl->cells;
	sl->n = sl->cap = n;
	sl->cells = xrealloc(sl->cells, (n + !n) * sizeof *sl->cells);
	while (n * 2 > size - 1)
		size *= 2;
	sliding_make_map(s, sl, (uint32_t)size);
}

/* ---- slots without holes ---- */

static void give_number(uint32_t *to, uint32_t slot, uint32_t *n)
{
	if (slot != SLIDING_NONE && to[slot] == SLIDING_NONE)
		to[slot] = (*n)++;
}

static void number_slots(const struct sliding *s, uint32_t *to, uint32_t *n)
{
	give_number(to, s->spare, n);
	for (uint32_t k = 0; k < s->n_keys; k++)
		give_number(to, s->keys[k].total, n);
	for (uint32_t i = 0; i < s->n_slices; i++)
		for (size_t c = 0; c < s->slices[i].n; c++) {
			give_number(to, s->slices[i].cells[c], n);
			give_number(to, s->cells[s->slices[i].cells[c]].suffix, n);
		}
}

static uint32_t renamed(const uint32_t *to, uint32_t slot) { return slot == SLIDING_NONE ? SLIDING_NONE : to[slot]; }

static void rename_slots(struct sliding *s, const uint32_t *to, uint32_t n)
{
	struct sliding_cell *fresh = xcalloc(n + 1, sizeof *fresh);

	for (uint32_t i = 0; i < s->n_slots; i++) {
		if (to[i] == SLIDING_NONE)
			continue;
		fresh[to[i]] = s->cells[i];
		fresh[to[i]].suffix = renamed(to, s->cells[i].suffix);
		fresh[to[i]].next = renamed(to, s->cells[i].next);
	}
	for (uint32_t i = 0; i < s->n_slices; i++)
		for (size_t c = 0; c < s->slices[i].n; c++)
			s->slices[i].cells[c] = to[s->slices[i].cells[c]];
	for (uint32_t k = 0; k < s->n_keys; k++) {
		s->keys[k].total = renamed(to, s->keys[k].total);
		s->keys[k].front = renamed(to, s->keys[k].front);
	}
	free(s->cells);
	s->cells = fresh;
	s->cells_cap = n + 1;
	s->spare = to[s->spare];
}

static void pack(struct sliding *s)
{
	uint32_t *to = xmalloc((s->n_slots + 1) * sizeof *to), n = 0;

	memset(to, 0xff, (s->n_slots + 1) * sizeof *to);
	number_slots(s, to, &n);
	states_pack(s->states, s->reducer, to, s->n_slots, n);
	rename_slots(s, to, n);
	s->n_slots = n;
	free(s->unused.at);
	s->unused = (struct slot_list){ 0 };
	s->keys_cap = s->n_keys + 1;
	s->keys = xrealloc(s->keys, s->keys_cap * sizeof *s->keys);
	sliding_rebuild_maps(s);
	free(to);
}

void sliding_leave_memory(struct sliding *s, struct keeper *to)
{
	struct keep k = { .to = to };
	struct leaving l;

	gather(s, &l);
	for (uint32_t key = 0; key < s->n_keys; key++) {
		if (!s->keys[key].leaves)
			continue;
		put_roll(s, key, l.at + l.from[key], &k);
		drop_cells(s, l.at + l.from[key], s->keys[key].n_cells, &k);
	}
	for (uint32_t i = 0; i < s->n_slices; i++)
		if (s->slices[i].n)
			thin(s, &s->slices[i]);
	for (uint32_t key = 0; key < s->n_keys; key++)
		if (s->keys[key].leaves)
			forget_key(s, key);
	free(l.from);
	free(l.at);
	keep_release(&k);
	s->rolls = true;
	sliding_forget_dead(s);
	if (s->unused.n > s->n_slots / 2)
		pack(s);
	s->leave_at = in_use(s) / 8 * 9;
}

/* ---- coming back ---- */

static void no_more_away(struct sliding *s, struct slice *sl)
{
	bool was = sl->away; /* else it had left before the restart */

	sl->away -= was;
	s->away_cells -= was;
	s->away_in -= was && sl->side != SLICE_WAITS;
}

/* Cells of a key in memory that it has not got otherwise. `away`: slices count them as such. */
static int revive(struct sliding *s, uint32_t key, struct sliding_rolled r, bool away)
{
	struct slot_list l = { 0 };
	struct store_bytes states;
	int64_t number;
	int failed = 0;

	while (!failed && sliding_next_rolled(s, &r, &number, &states)) {
		uint32_t slice = sliding_slice(s, number), slot;

		if (away)
			no_more_away(s, &s->slices[slice]);
		if (sliding_find_cell(s, slice, key) != SLIDING_NONE)
			continue;
		slot = sliding_add_cell(s, slice, key);
		l.at = xgrow(l.at, &l.cap, l.n + 1, sizeof *l.at);
		l.at[l.n++] = slot;
		failed = sliding_load_states(s, slot, states);
	}
	sliding_place_cells(s, l.at, (uint32_t)l.n);
	free(l.at);
	s->keys[key].born = s->keys[key].n_cells ? r.born : 0;
	return failed || r.cells.bad ? -1 : 0;
}

/* An entry of a key that is new in memory; one without a cell that has not left is nobody's any more. */
static int come_back(struct sliding *s, uint32_t key, const struct kept_entry *entry)
{
	struct sliding_rolled r;

	if (sliding_open_roll(entry, &r) || revive(s, key, r, true))
		return -1;
	if (!s->keys[key].n_cells) {
		sliding_bury(s, &r);
		return 0;
	}
	s->groups.table.entries[key].user = r.mark;
	s->keys[key].name_mark = r.name_mark;
	return 0;
}

static int return_one(struct sliding *s, uint32_t key, struct buf *b, struct err *e)
{
	const struct op *op = s->reducer->op;
	struct away_owner o;
	struct kept_entry ask = { 0 }, found;
	struct bytes_in name;
	int r;

	b->n = 0;
	sliding_put_number(b, SLIDING_NAME);
	o = (struct away_owner){ op, &s->groups, b->p, b->n };
	r = away_return(&s->away, &o, key, &found, e);
	if (r <= 0)
		return r;
	name = keep_open(found.value, found.n, NAME_VERSION);
	b->n = 0;
	roll_key(get_le(&name, 8), b);
	ask.key = b->p;
	ask.key_n = b->n;
	r = keep_over(&name) ? op->run->fetch(op->run->fetch_ctx, op, &ask, &found, e) : 0;
	if (!r || (r > 0 && come_back(s, key, &found)))
		return keep_refuse(op, e);
	return r;
}

int sliding_return(struct sliding *s, uint32_t first, struct err *e)
{
	struct buf b = { 0 };
	int r = 0;

	for (uint32_t key = first; key < s->n_keys && r >= 0; key++)
		r = return_one(s, key, &b, e);
	buf_release(&b);
	return r < 0 ? -1 : 0;
}

int sliding_look(struct sliding *s, struct store_bytes values, uint32_t *group)
{
	struct key_bytes key;
	uint32_t own;
	const char *p = values.p;

	groups_clear(&s->look);
	if (groups_load(&s->look, &p, values.p + values.n, &own) || p != values.p + values.n)
		return -1;
	keytab_key(&s->look.table, own, &key);
	*group = keytab_find(&s->groups.table, &key);
	return 0;
}

/* ---- after a restart ---- */

/* Its cells are counted, and it stays where it is. */
static int stay_away(struct sliding *s, struct sliding_rolled r)
{
	struct store_bytes states;
	int64_t number;

	while (sliding_next_rolled(s, &r, &number, &states)) {
		struct slice *sl = &s->slices[sliding_slice(s, number)];

		sl->away++;
		s->away_cells++;
		s->away_in += sl->side != SLICE_WAITS;
	}
	s->births = r.born > s->births ? r.born : s->births;
	return r.cells.bad ? -1 : 0;
}

/* Entries come in the order of their keys: cells first. */
int sliding_restore_roll(struct sliding *s, const struct kept_entry *entry)
{
	struct sliding_rolled r;
	uint32_t key;
	const char *p;

	if (sliding_open_roll(entry, &r) || sliding_look(s, r.key, &key))
		return -1;
	if (key == KEYTAB_NONE && is_short(s) && away_add_group(&s->away, &s->look, 0))
		return stay_away(s, r);
	p = r.key.p;
	if (key == KEYTAB_NONE && groups_load(&s->groups, &p, p + r.key.n, &key))
		return -1;
	sliding_know_keys(s);
	s->births = r.born > s->births ? r.born : s->births;
	if (s->groups.table.entries[key].user || revive(s, key, r, false))
		return -1;
	if (!s->keys[key].n_cells) {
		sliding_bury(s, &r);
		return 0;
	}
	s->groups.table.entries[key].user = r.mark;
	s->keys[key].name_mark = r.name_mark;
	return 0;
}
