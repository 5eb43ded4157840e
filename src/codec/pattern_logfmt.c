/* `parse logfmt`: each text is one line of key=value pairs. */
#include "codec/pattern_impl.h"

#include <stdlib.h>

#include "codec/logfmt_parse.h"
#include "codec/name_set.h"

struct logfmt_pattern {
	struct pattern base;
	struct logfmt_pair *pairs; /* of the row under way, with all fields wanted */
	size_t cap;
	struct name_set names;
};

/* Of pairs with one key the last counts, in the place of the first. */
static struct value all_pairs(struct logfmt_pattern *l, uint32_t n)
{
	struct field *f = arena_array(l->base.arena, struct field, n);

	name_set_begin(&l->names, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct logfmt_pair *pair = &l->pairs[i];
		int64_t at = name_set_find(&l->names, pair->key, pair->key_n);

		if (at < 0)
			at = name_set_add(&l->names, pair->key, pair->key_n);
		f[at] = (struct field){ pair->key, pair->key_n, pair->v };
	}
	return v_object(f, l->names.n);
}

static void take(struct logfmt_pattern *l, uint32_t i, const struct logfmt_pair *pair, struct value *slot)
{
	const struct pattern *p = &l->base;

	if (!p->need) {
		l->pairs = xgrow(l->pairs, &l->cap, (size_t)i + 1, sizeof *l->pairs);
		l->pairs[i] = *pair;
		return;
	}
	for (uint32_t k = 0; k < p->n_need; k++)
		if (strlen(p->need[k]) == pair->key_n && !memcmp(p->need[k], pair->key, pair->key_n))
			slot[k] = pair->v;
}

static const char *logfmt_row(struct pattern *p, const char *s, size_t n, struct value *slot)
{
	struct logfmt_pattern *l = (struct logfmt_pattern *)p;
	const char *why = NULL, *end;
	struct logfmt_pair pair;
	uint32_t i = 0;
	int got;

	n -= n && s[n - 1] == '\n';
	n -= n && s[n - 1] == '\r';
	if (memchr(s, '\n', n))
		return "more than one record";
	for (uint32_t k = 0; p->need && k < p->n_need; k++)
		slot[k] = v_null();
	for (end = s + n; (got = logfmt_next(&s, end, p->arena, &pair, &why)) > 0; i++)
		take(l, i, &pair, slot);
	if (got < 0)
		return why;
	if (!i)
		return "no record in the text";
	if (!p->need)
		slot[0] = all_pairs(l, i);
	return NULL;
}

static struct pattern *logfmt_open(void) { return xcalloc(1, sizeof(struct logfmt_pattern)); }

static void logfmt_free(struct pattern *p)
{
	struct logfmt_pattern *l = (struct logfmt_pattern *)p;

	free(l->pairs);
	name_set_release(&l->names);
}

const struct pattern_def pattern_logfmt = {
	.doc = {
		.name = "logfmt",
		.synopsis = "parse logfmt [of FIELD]",
		.summary = "text that is key=value pairs",
		.group = "patterns",
		.text = "Fields: the keys. Quotes, escapes and bare keys are as in the logfmt format.",
		.examples = {
			{ "'parse logfmt' 'select level, msg'", "level=warn msg=\"disk is full\" used=97\n", "warn\tdisk is full\n",
			  "two of three keys" },
		},
	},
	.open = logfmt_open,
	.row = logfmt_row,
	.free = logfmt_free,
};
