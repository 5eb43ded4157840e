/* The sort is a radix sort from the most significant byte on (McIlroy, Bostic, McIlroy: "Engineering Radix Sort", 1993) that looks at 16 bytes of the
 * keys at a time, kept beside the reference, and skips the bytes in which all of a run agree. */
#include "state/changes.h"

#include <stdlib.h>

#define CHUNK 16      /* bytes of a key in a reference */
#define FEW 24        /* as many are sorted by insertion */
#define LOOK_AHEAD 64 /* bytes in which a change begins, mostly all of it */
#define OFFSET_MASK (((uint64_t)1 << CHANGE_TABLE_SHIFT) - 1)

static uint64_t load_be(struct store_bytes key, size_t at)
{
	uint64_t v = 0;

	if (at + 8 <= key.n)
		memcpy(&v, key.p + at, 8);
	else if (at < key.n)
		memcpy(&v, key.p + at, key.n - at);
	return be64toh(v);
}

static void set_chunk(struct change_ref *r, struct store_bytes key, size_t chunk)
{
	r->hi = load_be(key, chunk * CHUNK);
	r->lo = load_be(key, chunk * CHUNK + 8);
}

struct change_ref key_ref(uint32_t stage, struct store_bytes key, unsigned weak_hash)
{
	struct change_ref r = { .group = (uint64_t)stage << 1 | (key.n > SHORT_KEY_MAX) };
	struct sum128 h;

	if (key.n <= SHORT_KEY_MAX) {
		set_chunk(&r, key, 0);
		return r;
	}
	h = sum128(key.p, key.n);
	r.hi = weak_hash ? h.hi & (((uint64_t)1 << weak_hash) - 1) : h.hi;
	r.lo = weak_hash ? 0 : h.lo;
	return r;
}

static int compare_u64(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

static int compare_keys(struct store_bytes a, struct store_bytes b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c : compare_u64(a.n, b.n);
}

static bool is_before(const struct change_list *l, struct store_bytes key)
{
	return l->begin.n && key.n <= SHORT_KEY_MAX && compare_keys(key, l->begin) < 0;
}

void change_list_release(struct change_list *l)
{
	big_free(l->refs, l->bytes);
	l->refs = NULL;
	l->n = l->bytes = 0;
}

/* Room for one more. There may be millions, in which the sort goes to and fro: the pages are large then. */
static struct change_ref *next_ref(struct change_list *l)
{
	size_t need = (l->n + 1) * sizeof *l->refs;

	if (need > l->bytes) {
		size_t bytes = l->bytes ? l->bytes * 2 : 64 * sizeof *l->refs;

		l->refs = big_grow(l->refs, l->bytes, bytes);
		l->bytes = bytes;
	}
	return &l->refs[l->n++];
}

void change_list_add(struct change_list *l, uint32_t table, uint32_t stage)
{
	const struct memtab *m = l->tables[table];

	for (size_t i = 0; i < m->n_regions; i++) {
		struct bytes_in in = { m->b.p + m->regions[i].at, m->b.p + m->regions[i].end, false };

		while (in.p < in.end) {
			size_t at = (size_t)(in.p - m->b.p);
			struct change c = change_get(&in);
			struct change_ref *r;

			if ((stage && c.stage != stage) || is_before(l, c.key))
				continue;
			r = next_ref(l);
			*r = key_ref(c.stage, c.key, l->weak_hash);
			r->at = (uint64_t)table << CHANGE_TABLE_SHIFT | at;
		}
	}
}

static const struct memtab *table_of(const struct change_list *l, const struct change_ref *r) { return l->tables[r->at >> CHANGE_TABLE_SHIFT]; }

static struct change change_of(const struct change_list *l, const struct change_ref *r)
{
	return memtab_change(table_of(l, r), (size_t)(r->at & OFFSET_MASK));
}

struct change change_at(const struct change_list *l, size_t i) { return change_of(l, &l->refs[i]); }

void change_prefetch(const struct change_list *l, size_t i)
{
	if (i < l->n) {
		const char *p = table_of(l, &l->refs[i])->b.p + (l->refs[i].at & OFFSET_MASK);

		__builtin_prefetch(p);
		__builtin_prefetch(p + LOOK_AHEAD);
	}
}

/* ---- the order ---- */

/* But for the bytes of keys that look alike. */
static int compare_heads(const struct change_ref *a, const struct change_ref *b)
{
	int c = compare_u64(a->group, b->group);

	if (!c)
		c = compare_u64(a->hi, b->hi);
	return c ? c : compare_u64(a->lo, b->lo);
}

int change_list_compare(const struct change_list *l, const struct change_ref *r, struct store_bytes key, size_t i)
{
	int c = compare_heads(r, &l->refs[i]);

	return c ? c : compare_keys(key, change_at(l, i).key);
}

static int compare_refs(const struct change_list *l, const struct change_ref *a, const struct change_ref *b)
{
	int c = compare_heads(a, b);

	return c ? c : compare_keys(change_of(l, a).key, change_of(l, b).key);
}

/* Of one key the latest first. Both have the same chunk of their keys. */
static int ref_order(const void *pa, const void *pb, void *list)
{
	const struct change_ref *a = pa, *b = pb;
	int c = compare_refs(list, a, b);

	return c ? c : compare_u64(b->at, a->at);
}

/* ---- sorting ---- */

struct sorting {
	const struct change_list *l;
	struct change_ref *spare; /* room for all */
};

static void sort_run(const struct sorting *s, struct change_ref *r, size_t n, size_t chunk);

static void sort_few(const struct sorting *s, struct change_ref *r, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct change_ref x = r[i];
		size_t k = i;

		for (; k && ref_order(&x, &r[k - 1], (void *)(uintptr_t)s->l) < 0; k--)
			r[k] = r[k - 1];
		r[k] = x;
	}
}

/* Those whose keys end in this chunk come first: they are the beginning of the others. Returns how many. */
static size_t ended_first(const struct sorting *s, struct change_ref *r, size_t n, size_t chunk)
{
	size_t ended = 0, others = 0;

	for (size_t i = 0; i < n; i++) {
		change_prefetch(s->l, (size_t)(r - s->l->refs) + i + CHANGES_AHEAD);
		if (change_of(s->l, &r[i]).key.n <= (chunk + 1) * CHUNK)
			r[ended++] = r[i];
		else
			s->spare[others++] = r[i];
	}
	memcpy(r + ended, s->spare, others * sizeof *r);
	return ended;
}

static void load_chunk(const struct sorting *s, struct change_ref *r, size_t n, size_t chunk)
{
	for (size_t i = 0; i < n; i++)
		set_chunk(&r[i], change_of(s->l, &r[i]).key, chunk);
}

/* A run with one chunk: by what lies behind it. */
static void sort_deeper(const struct sorting *s, struct change_ref *r, size_t n, size_t chunk)
{
	struct change_ref head = *r;
	size_t ended = head.group & 1 ? n : ended_first(s, r, n, chunk);

	qsort_r(r, ended, sizeof *r, ref_order, (void *)(uintptr_t)s->l);
	if (ended == n)
		return;
	load_chunk(s, r + ended, n - ended, chunk + 1);
	sort_run(s, r + ended, n - ended, chunk + 1);
	for (size_t i = ended; i < n; i++) {
		r[i].hi = head.hi;
		r[i].lo = head.lo;
	}
}

/* The word of a reference and the shift of the first byte in which they differ; false: in none. */
static bool find_byte(const struct change_ref *r, size_t n, size_t *word, int *shift)
{
	uint64_t differ[3] = { 0 };

	for (size_t i = 1; i < n; i++) {
		differ[0] |= r[i].group ^ r->group;
		differ[1] |= r[i].hi ^ r->hi;
		differ[2] |= r[i].lo ^ r->lo;
	}
	for (*word = 0; *word < ARRAY_LEN(differ); ++*word)
		if (differ[*word]) {
			*shift = 56 - (__builtin_clzll(differ[*word]) & ~7);
			return true;
		}
	return false;
}

static unsigned byte_of(const struct change_ref *r, size_t word, int shift)
{
	uint64_t v = word == 0 ? r->group : word == 1 ? r->hi : r->lo;

	return v >> shift & 255;
}

static void sort_run(const struct sorting *s, struct change_ref *r, size_t n, size_t chunk)
{
	size_t ends[256] = { 0 }, word, from = 0;
	int shift;

	if (n <= FEW) {
		sort_few(s, r, n);
		return;
	}
	if (!find_byte(r, n, &word, &shift)) {
		sort_deeper(s, r, n, chunk);
		return;
	}
	for (size_t i = 0; i < n; i++)
		ends[byte_of(&r[i], word, shift)]++;
	for (size_t i = 1; i < 256; i++)
		ends[i] += ends[i - 1];
	for (size_t i = n; i--;)
		s->spare[--ends[byte_of(&r[i], word, shift)]] = r[i];
	memcpy(r, s->spare, n * sizeof *r);
	for (size_t i = 1; i <= 256; i++) {
		size_t to = i < 256 ? ends[i] : n;

		if (to - from > 1)
			sort_run(s, r + from, to - from, chunk);
		from = to;
	}
}

void change_list_sort(struct change_list *l)
{
	size_t room = (l->n + 1) * sizeof *l->refs, kept = 0;
	struct sorting s = { l, big_alloc(room) };

	sort_run(&s, l->refs, l->n, 0);
	big_free(s.spare, room);
	for (size_t i = 0; i < l->n; i++)
		if (!kept || compare_refs(l, &l->refs[kept - 1], &l->refs[i]))
			l->refs[kept++] = l->refs[i];
	l->n = kept;
}
