#include "window/trigger.h"

#include <stdlib.h>

/* One part of the tree in preorder: the parts of a subtree, and their words of state, stand side by side. */
struct part {
	enum trigger_kind kind;
	uint32_t kids[2]; /* numbers of parts, 0: none (the root is nobody's kid) */
	uint32_t end;     /* behind the last part of the subtree */
	uint32_t word;    /* its word of state, and that of its subtree's first */
	uint32_t word_end;
	int64_t delay_ns, offset_ns;
	uint64_t count;
};

/* State: word 0 has a bit for each finished part; then a word for each part that remembers something of the pane: how many records, or when it is due. */
struct trigger {
	uint32_t n, cap, n_words;
	bool sees_watermark;
	struct part *parts;
};

/* A due time is kept so that a zeroed word means none. */
#define NOT_SET INT64_MIN
#define FINISHED_BITS 64

static uint64_t word_of_time(int64_t t) { return (uint64_t)t ^ (uint64_t)NOT_SET; }
static int64_t time_of_word(uint64_t w) { return (int64_t)(w ^ (uint64_t)NOT_SET); }

static bool remembers(enum trigger_kind k)
{
	return k == TRIGGER_COUNT || k == TRIGGER_AFTER || k == TRIGGER_EVERY;
}

/* Construction. */

static uint32_t part_new(struct trigger *t, enum trigger_kind kind)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 8;
		t->parts = xrealloc(t->parts, t->cap * sizeof *t->parts);
	}
	t->parts[t->n] = (struct part){ .kind = kind, .word = t->n_words };
	if (remembers(kind))
		t->n_words++;
	if (kind == TRIGGER_WATERMARK)
		t->sees_watermark = true;
	return t->n++;
}

static void part_close(struct trigger *t, uint32_t i)
{
	t->parts[i].end = t->n;
	t->parts[i].word_end = t->n_words;
}

static uint32_t build(struct trigger *t, const struct trigger_node *n);

static uint32_t build_repeat(struct trigger *t, const struct trigger_node *n)
{
	uint32_t i = part_new(t, TRIGGER_REPEAT), kid = build(t, n);

	t->parts[i].kids[0] = kid;
	part_close(t, i);
	return i;
}

static uint32_t build_kid(struct trigger *t, const struct trigger_node *n, uint32_t k)
{
	uint32_t i;

	if (n->kind != TRIGGER_WATERMARK)
		return n->kids[k] ? build(t, n->kids[k]) : 0;
	if (n->kids[k])
		return build_repeat(t, n->kids[k]);
	if (k || !n->kids[1])
		return 0;
	/* only late: the mark of an early part says that the end was passed */
	i = part_new(t, TRIGGER_NEVER);
	part_close(t, i);
	return i;
}

static uint32_t build(struct trigger *t, const struct trigger_node *n)
{
	uint32_t i, kid;

	while (n->kind == TRIGGER_ONCE)
		n = n->kids[0];
	i = part_new(t, n->kind);
	t->parts[i].delay_ns = n->delay_ns;
	t->parts[i].offset_ns = n->offset_ns;
	t->parts[i].count = n->count;
	for (uint32_t k = 0; k < 2; k++) {
		kid = build_kid(t, n, k);
		t->parts[i].kids[k] = kid;
	}
	part_close(t, i);
	return i;
}

bool trigger_repeats(const struct trigger_spec *s)
{
	return !s->root || (s->root->kind != TRIGGER_ONCE && s->root->kind != TRIGGER_REPEAT);
}

struct trigger *trigger_new(const struct trigger_spec *s)
{
	static const struct trigger_node end_of_window = { .kind = TRIGGER_WATERMARK };
	struct trigger *t = xcalloc(1, sizeof *t);
	const struct trigger_node *root = s->root ? s->root : &end_of_window;

	t->n_words = 1;
	if (trigger_repeats(s))
		build_repeat(t, root);
	else
		build(t, root);
	if (t->n > FINISHED_BITS)
		BUG("a trigger of %u parts", t->n);
	return t;
}

void trigger_free(struct trigger *t)
{
	if (!t)
		return;
	free(t->parts);
	free(t);
}

uint32_t trigger_state_size(const struct trigger *t)
{
	return t->n_words * (uint32_t)sizeof(uint64_t);
}

bool trigger_sees_watermark(const struct trigger *t)
{
	return t->sees_watermark;
}

/* State. */

static bool is_finished(const uint64_t *w, uint32_t i)
{
	return w[0] >> i & 1;
}

static void set_finished(uint64_t *w, uint32_t i, bool finished)
{
	w[0] = (w[0] & ~((uint64_t)1 << i)) | (uint64_t)finished << i;
}

/* Forget what the subtree knows of the pane; finished parts stay finished. */
static void forget(const struct trigger *t, uint64_t *w, uint32_t i)
{
	const struct part *p = &t->parts[i];

	memset(w + p->word, 0, (p->word_end - p->word) * sizeof *w);
}

/* As if it had never run. */
static void reset(const struct trigger *t, uint64_t *w, uint32_t i)
{
	forget(t, w, i);
	for (uint32_t k = i; k < t->parts[i].end; k++)
		set_finished(w, k, false);
}

static int64_t add_saturated(int64_t a, int64_t b)
{
	int64_t r;

	return __builtin_add_overflow(a, b, &r) ? INT64_MAX : r;
}

/* The first multiple of the period, plus the offset, at or after t. */
static int64_t align_up(const struct part *p, int64_t t)
{
	__int128 past = ((__int128)t - p->offset_ns) % p->delay_ns;

	if (past < 0)
		past += p->delay_ns;
	return past ? add_saturated(t, (int64_t)(p->delay_ns - past)) : t;
}

/* Every part counts along, finished ones and those whose turn has not come too: a merge may bring them back, and a firing makes them forget. */
void trigger_add(const struct trigger *t, void *state, uint64_t n, int64_t now)
{
	uint64_t *w = state;

	for (uint32_t i = 0; i < t->n; i++) {
		const struct part *p = &t->parts[i];

		if (p->kind == TRIGGER_COUNT)
			w[p->word] = w[p->word] > UINT64_MAX - n ? UINT64_MAX : w[p->word] + n;
		else if (p->kind == TRIGGER_AFTER && !w[p->word])
			w[p->word] = word_of_time(add_saturated(now, p->delay_ns));
		else if (p->kind == TRIGGER_EVERY && !w[p->word])
			w[p->word] = word_of_time(align_up(p, now));
	}
}

bool trigger_finished(const struct trigger *t, const void *state)
{
	(void)t;
	return is_finished(state, 0);
}

/* Due? */

static bool past_end(const struct trigger_view *v)
{
	return v->watermark >= v->end;
}

/* `watermark` with early or late firings. The finished bit of the early part says that the pane on time is out. */
static bool has_phases(const struct part *p)
{
	return p->kind == TRIGGER_WATERMARK && p->kids[0];
}

/* The kid whose turn it is in `T then T` and `watermark early T late T`; 0: none. */
static uint32_t turn(const uint64_t *w, const struct part *p)
{
	return is_finished(w, p->kids[0]) ? p->kids[1] : p->kids[0];
}

static bool is_due(const struct trigger *t, const uint64_t *w, uint32_t i, const struct trigger_view *v);

static bool is_ready(const struct trigger *t, const uint64_t *w, uint32_t i, const struct trigger_view *v)
{
	return is_finished(w, i) || is_due(t, w, i, v);
}

static bool is_due_watermark(const struct trigger *t, const uint64_t *w, const struct part *p, const struct trigger_view *v)
{
	uint32_t now;

	if (!has_phases(p))
		return past_end(v);
	now = turn(w, p);
	return (now == p->kids[0] && past_end(v)) || (now && is_due(t, w, now, v));
}

static bool is_due(const struct trigger *t, const uint64_t *w, uint32_t i, const struct trigger_view *v)
{
	const struct part *p = &t->parts[i];

	switch (p->kind) {
	case TRIGGER_WATERMARK:
		return is_due_watermark(t, w, p, v);
	case TRIGGER_EVERY:
	case TRIGGER_AFTER:
		return w[p->word] && v->now >= time_of_word(w[p->word]);
	case TRIGGER_COUNT:
		return w[p->word] >= p->count;
	case TRIGGER_NEVER:
		return false;
	case TRIGGER_ONCE:
	case TRIGGER_REPEAT:
		return is_due(t, w, p->kids[0], v);
	case TRIGGER_OR:
		return is_ready(t, w, p->kids[0], v) || is_ready(t, w, p->kids[1], v);
	case TRIGGER_AND:
		return is_ready(t, w, p->kids[0], v) && is_ready(t, w, p->kids[1], v);
	case TRIGGER_THEN:
		return turn(w, p) && is_due(t, w, turn(w, p), v);
	case TRIGGER_UNTIL:
		return is_due(t, w, p->kids[0], v) || is_due(t, w, p->kids[1], v);
	}
	return false;
}

bool trigger_is_due(const struct trigger *t, const void *state, const struct trigger_view *v)
{
	return !is_finished(state, 0) && is_due(t, state, 0, v);
}

/* Firing. */

static void fire(const struct trigger *t, uint64_t *w, uint32_t i, const struct trigger_view *v);

/* A kid that was not ready forgets too: the pane that it watched is out. */
static void fire_if_due(const struct trigger *t, uint64_t *w, uint32_t i, const struct trigger_view *v)
{
	if (is_due(t, w, i, v))
		fire(t, w, i, v);
	else
		forget(t, w, i);
}

static void fire_watermark(const struct trigger *t, uint64_t *w, uint32_t i, const struct trigger_view *v)
{
	const struct part *p = &t->parts[i];
	uint32_t early = p->kids[0], late = p->kids[1];

	if (!has_phases(p)) {
		set_finished(w, i, true);
	} else if (is_finished(w, early)) {
		fire(t, w, late, v);
		forget(t, w, early);
	} else {
		fire_if_due(t, w, early, v);
		if (late)
			forget(t, w, late);
		if (past_end(v)) {
			reset(t, w, early);
			set_finished(w, early, true);
			set_finished(w, i, !late);
		}
	}
}

static void fire_then(const struct trigger *t, uint64_t *w, uint32_t i, const struct trigger_view *v)
{
	const struct part *p = &t->parts[i];
	uint32_t first = p->kids[0], second = p->kids[1], now = turn(w, p);

	fire(t, w, now, v);
	forget(t, w, now == first ? second : first);
	set_finished(w, i, is_finished(w, first) && is_finished(w, second));
}

/* The end counts across the firings of what it ends, so it forgets nothing when that fires. */
static void fire_until(const struct trigger *t, uint64_t *w, uint32_t i, const struct trigger_view *v)
{
	const struct part *p = &t->parts[i];

	if (is_due(t, w, p->kids[1], v)) {
		fire(t, w, p->kids[1], v);
		forget(t, w, p->kids[0]);
		set_finished(w, i, true);
	} else {
		fire(t, w, p->kids[0], v);
		set_finished(w, i, is_finished(w, p->kids[0]));
	}
}

static void fire(const struct trigger *t, uint64_t *w, uint32_t i, const struct trigger_view *v)
{
	const struct part *p = &t->parts[i];

	switch (p->kind) {
	case TRIGGER_WATERMARK:
		fire_watermark(t, w, i, v);
		return;
	case TRIGGER_ONCE:
	case TRIGGER_REPEAT:
		fire(t, w, p->kids[0], v);
		if (is_finished(w, p->kids[0]))
			reset(t, w, p->kids[0]);
		return;
	case TRIGGER_OR:
	case TRIGGER_AND:
		fire_if_due(t, w, p->kids[0], v);
		fire_if_due(t, w, p->kids[1], v);
		break;
	case TRIGGER_THEN:
		fire_then(t, w, i, v);
		return;
	case TRIGGER_UNTIL:
		fire_until(t, w, i, v);
		return;
	case TRIGGER_EVERY:
	case TRIGGER_AFTER:
	case TRIGGER_COUNT:
	case TRIGGER_NEVER:
		forget(t, w, i);
	}
	set_finished(w, i, true);
}

void trigger_fired(const struct trigger *t, void *state, const struct trigger_view *v)
{
	if (trigger_is_due(t, state, v))
		fire(t, state, 0, v);
}

/* Merging. */

struct merge {
	const struct trigger *t;
	uint64_t *dst;
	const void *const *src;
	uint32_t n;
	const struct trigger_view *v;
};

static bool was_finished_in_all(const struct merge *m, uint32_t i)
{
	for (uint32_t k = 0; k < m->n; k++)
		if (!is_finished(m->src[k], i))
			return false;
	return true;
}

static void merge_count(const struct merge *m, uint32_t i)
{
	uint32_t word = m->t->parts[i].word;
	uint64_t sum = 0;

	for (uint32_t k = 0; k < m->n; k++) {
		const uint64_t *w = m->src[k];

		if (is_finished(w, i)) {
			set_finished(m->dst, i, true);
			return;
		}
		sum = sum > UINT64_MAX - w[word] ? UINT64_MAX : sum + w[word];
	}
	m->dst[word] = sum;
}

/* The earliest of their times. It begins anew even where it was finished. */
static void merge_time(const struct merge *m, uint32_t i)
{
	uint32_t word = m->t->parts[i].word;

	for (uint32_t k = 0; k < m->n; k++) {
		const uint64_t *w = m->src[k];

		if (w[word] && (!m->dst[word] || w[word] < m->dst[word]))
			m->dst[word] = w[word];
	}
}

static void merge(const struct merge *m, uint32_t i);

/* The pane on time is out only if it was out in all of them and the merged window has ended too; else there are records that it has not had. */
static void merge_watermark(const struct merge *m, uint32_t i)
{
	const struct part *p = &m->t->parts[i];
	uint32_t early = p->kids[0], late = p->kids[1];
	bool out = past_end(m->v) && was_finished_in_all(m, has_phases(p) ? early : i);

	if (!has_phases(p)) {
		set_finished(m->dst, i, out);
	} else if (!out) {
		merge(m, early);
	} else {
		set_finished(m->dst, early, true);
		set_finished(m->dst, i, !late);
		if (late)
			merge(m, late);
	}
}

static void merge_then(const struct merge *m, uint32_t i)
{
	const struct part *p = &m->t->parts[i];

	merge(m, p->kids[0]);
	if (!is_finished(m->dst, p->kids[0]))
		return;
	merge(m, p->kids[1]);
	set_finished(m->dst, i, is_finished(m->dst, p->kids[1]));
}

static void merge_two(const struct merge *m, uint32_t i)
{
	const struct part *p = &m->t->parts[i];
	bool a, b;

	merge(m, p->kids[0]);
	merge(m, p->kids[1]);
	a = is_finished(m->dst, p->kids[0]);
	b = is_finished(m->dst, p->kids[1]);
	set_finished(m->dst, i, p->kind == TRIGGER_AND ? a && b : a || b);
}

static void merge(const struct merge *m, uint32_t i)
{
	switch (m->t->parts[i].kind) {
	case TRIGGER_WATERMARK:
		merge_watermark(m, i);
		return;
	case TRIGGER_EVERY:
	case TRIGGER_AFTER:
		merge_time(m, i);
		return;
	case TRIGGER_COUNT:
		merge_count(m, i);
		return;
	case TRIGGER_NEVER:
		return;
	case TRIGGER_ONCE:
	case TRIGGER_REPEAT:
		merge(m, m->t->parts[i].kids[0]);
		return;
	case TRIGGER_THEN:
		merge_then(m, i);
		return;
	case TRIGGER_OR:
	case TRIGGER_AND:
	case TRIGGER_UNTIL:
		merge_two(m, i);
	}
}

void trigger_merge(const struct trigger *t, void *dst, const void *const *src, uint32_t n, const struct trigger_view *v)
{
	struct merge m = { .t = t, .dst = dst, .src = src, .n = n, .v = v };

	if (n)
		merge(&m, 0);
}

/* The next time of the clock. */

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t later(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t time_set(const uint64_t *w, const struct part *p)
{
	return w[p->word] ? time_of_word(w[p->word]) : INT64_MAX;
}

/* Not ready before this time of the clock, whatever the watermark does, if no record comes. INT64_MIN: perhaps at once. */
static int64_t not_before(const struct trigger *t, const uint64_t *w, uint32_t i)
{
	const struct part *p = &t->parts[i];

	if (is_finished(w, i))
		return INT64_MIN;
	switch (p->kind) {
	case TRIGGER_EVERY:
	case TRIGGER_AFTER:
		return time_set(w, p);
	case TRIGGER_COUNT:
		return w[p->word] >= p->count ? INT64_MIN : INT64_MAX;
	case TRIGGER_NEVER:
		return INT64_MAX;
	case TRIGGER_WATERMARK:
		return INT64_MIN;
	case TRIGGER_ONCE:
	case TRIGGER_REPEAT:
		return not_before(t, w, p->kids[0]);
	case TRIGGER_THEN:
		return not_before(t, w, turn(w, p));
	case TRIGGER_AND:
		return later(not_before(t, w, p->kids[0]), not_before(t, w, p->kids[1]));
	case TRIGGER_OR:
	case TRIGGER_UNTIL:
		return earlier(not_before(t, w, p->kids[0]), not_before(t, w, p->kids[1]));
	}
	return INT64_MIN;
}

static int64_t next_clock(const struct trigger *t, const uint64_t *w, uint32_t i)
{
	const struct part *p = &t->parts[i];
	int64_t at;

	switch (p->kind) {
	case TRIGGER_EVERY:
	case TRIGGER_AFTER:
		return time_set(w, p);
	case TRIGGER_COUNT:
	case TRIGGER_NEVER:
		return INT64_MAX;
	case TRIGGER_ONCE:
	case TRIGGER_REPEAT:
		return next_clock(t, w, p->kids[0]);
	case TRIGGER_WATERMARK:
	case TRIGGER_THEN:
		return p->kids[0] && turn(w, p) ? next_clock(t, w, turn(w, p)) : INT64_MAX;
	case TRIGGER_AND:
	case TRIGGER_OR:
	case TRIGGER_UNTIL:
		at = earlier(next_clock(t, w, p->kids[0]), next_clock(t, w, p->kids[1]));
		return p->kind == TRIGGER_AND ? later(at, not_before(t, w, i)) : at;
	}
	return INT64_MAX;
}

int64_t trigger_next_clock(const struct trigger *t, const void *state)
{
	return is_finished(state, 0) ? INT64_MAX : next_clock(t, state, 0);
}
