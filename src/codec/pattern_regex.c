/* /regex with (?<names>)/: searched for in the text, anchored only where the expression says so. */
#include "codec/pattern_impl.h"

#include <stdlib.h>

#include "base/regex.h"

struct regex_pattern {
	struct pattern base;
	struct regex *re;
	struct regex_span *spans;	    /* groups + 1 */
	unsigned group[PATTERN_FIELDS_MAX]; /* of each field */
	const char *names[PATTERN_FIELDS_MAX];
};

static const char *regex_row(struct pattern *p, const char *s, size_t n, struct value *slot)
{
	struct regex_pattern *r = (struct regex_pattern *)p;

	if (regex_match(r->re, s, n, 0, r->spans) != 1)
		return "does not match the pattern";
	for (uint32_t f = 0; f < p->n_fields; f++) {
		const struct regex_span *g = &r->spans[r->group[f]];

		slot[f] = g->at == (size_t)-1 ? v_null() : v_text(s + g->at, g->end - g->at);
	}
	return NULL;
}

static void regex_pattern_free(struct pattern *p)
{
	struct regex_pattern *r = (struct regex_pattern *)p;

	regex_free(r->re);
	free(r->spans);
}

static const struct pattern_def regex_def = { .row = regex_row, .free = regex_pattern_free };

/* A name may stand on several groups (?J): the first is the field's. */
static bool name_known(const struct regex_pattern *r, const char *name)
{
	for (uint32_t f = 0; f < r->base.n_fields; f++)
		if (!strcmp(r->names[f], name))
			return true;
	return false;
}

static void take_names(struct regex_pattern *r)
{
	for (unsigned g = 1; g <= regex_groups(r->re); g++) {
		const char *name = regex_group_name(r->re, g);
		uint32_t f = r->base.n_fields;

		if (!name || name_known(r, name) || f == PATTERN_FIELDS_MAX)
			continue;
		r->names[f] = arena_str(&r->base.keep, name, strlen(name));
		r->group[f] = g;
		pattern_set_fields(&r->base, r->names, f + 1);
	}
}

struct pattern *pattern_regex(const char *p, size_t n, struct err *e)
{
	struct regex *re = regex_compile(p, n, e);
	struct regex_pattern *r;

	if (!re)
		return NULL;
	r = xcalloc(1, sizeof *r);
	r->base.def = &regex_def;
	r->re = re;
	r->spans = xcalloc(regex_groups(re) + 1, sizeof *r->spans);
	take_names(r);
	if (r->base.n_fields)
		return &r->base;
	err_at(e, (struct pos){ .unit = -1, .n = (int)n }, "the pattern names nothing");
	err_hint(e, "write (?<name>...) around what a field takes");
	pattern_free(&r->base);
	return NULL;
}
