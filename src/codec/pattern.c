#include "codec/pattern_impl.h"

#include <stdlib.h>

#include "base/nearest.h"

static const struct pattern_def *const defs[] = {
	&pattern_combined, &pattern_common, &pattern_syslog, &pattern_logfmt, &pattern_json, &pattern_csv,
};

/* Is w[0..n) one of the blank-separated words? */
static bool in_words(const char *words, const char *w, size_t n)
{
	while (words && *words) {
		size_t len = strcspn(words, " ");

		if (len == n && !memcmp(words, w, n))
			return true;
		words += len;
		words += strspn(words, " ");
	}
	return false;
}

const struct pattern_def *pattern_at(unsigned i) { return i < ARRAY_LEN(defs) ? defs[i] : NULL; }

const struct doc *pattern_doc(const struct pattern_def *d) { return &d->doc; }

const struct pattern_def *pattern_find(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(defs); i++)
		if (in_words(defs[i]->doc.name, name, n) || in_words(defs[i]->doc.aliases, name, n))
			return defs[i];
	return NULL;
}

void pattern_nearest(struct nearest *s)
{
	for (size_t i = 0; i < ARRAY_LEN(defs); i++)
		nearest_offer(s, defs[i]->doc.name);
}

static void named_hint(const char *name, size_t n, struct err *e)
{
	struct nearest near;

	nearest_init(&near, name, n);
	pattern_nearest(&near);
	if (near.best)
		err_hint(e, "did you mean '%s'?", near.best);
	else
		err_hint(e,
			 "a format (combined, syslog, json ...), a \"{name} pattern\" in quotes, or /a regex with (?<names>)/");
}

struct pattern *pattern_named(const char *name, size_t n, struct err *e)
{
	const struct pattern_def *d = pattern_find(name, n);
	struct pattern *p;

	if (!d) {
		err_at(e, (struct pos){ .unit = -1, .n = (int)n }, "unknown format '%.*s'", (int)(n < 80 ? n : 80), name);
		named_hint(name, n, e);
		return NULL;
	}
	p = d->open();
	p->def = d;
	p->fields = d->fields;
	p->n_fields = d->n_fields;
	p->n_default = d->n_default;
	return p;
}

void pattern_set_fields(struct pattern *p, const char *const *names, uint32_t n)
{
	p->fields = names;
	p->n_fields = p->n_default = n;
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	if (p->def && p->def->free)
		p->def->free(p);
	arena_release(&p->keep);
	free(p);
}

const char *const *pattern_fields(const struct pattern *p, uint32_t *n, uint32_t *n_default)
{
	*n = p->n_fields;
	*n_default = p->n_default;
	return p->fields;
}

/* Where the columns of one pattern_parse come from: column j is slot from[j] of a row, -1: no such field. */
struct route {
	int *from;
	uint32_t n;
	struct value *slot;
};

static int field_index(const struct pattern *p, const char *name)
{
	for (uint32_t f = 0; f < p->n_fields; f++)
		if (!strcmp(p->fields[f], name))
			return (int)f;
	return -1;
}

static struct route route_make(struct pattern *p, const struct pattern_in *in)
{
	uint32_t n_slots = p->fields ? p->n_fields : in->n_need + 1;
	struct route r = { .n = in->need ? in->n_need : p->fields ? p->n_default : 1 };

	r.from = arena_array(in->arena, int, r.n + 1);
	r.slot = arena_zero(in->arena, (n_slots + 1) * sizeof *r.slot);
	p->want = 0;
	for (uint32_t j = 0; j < r.n; j++) {
		r.from[j] = p->fields && in->need ? field_index(p, in->need[j]) : (int)j;
		if (p->fields && r.from[j] >= 0)
			p->want |= (uint64_t)1 << r.from[j];
	}
	return r;
}

static void columns_make(const struct pattern *p, const struct route *r, const struct pattern_in *in, struct column *cols)
{
	for (uint32_t j = 0; j < r->n; j++) {
		if (r->from[j] < 0)
			cols[j] = (struct column){ .type = T_NULL, .has_null = true };
		else
			cols[j] = column_make(in->arena, p->fields ? T_TEXT : T_ANY, in->n_rows);
	}
}

/* The text of a row, false when it has none. Numbers, times and the like are their output text. */
static bool row_text(const struct pattern_in *in, uint32_t row, const char **s, size_t *n)
{
	struct value v = column_get(in->text, row);
	struct buf b = { 0 };

	if (type_is_bytes(v.type)) {
		*s = v.n ? v.s : "";
		*n = v.n;
		return true;
	}
	if (v.type == T_NULL || v.type == T_LIST || v.type == T_OBJECT)
		return false;
	value_print(&b, &v, NULL);
	*s = arena_copy(in->arena, b.p, b.n);
	*n = b.n;
	buf_release(&b);
	return true;
}

static void row_store(const struct route *r, struct column *cols, uint32_t row)
{
	for (uint32_t j = 0; j < r->n; j++) {
		const struct value *v;

		if (r->from[j] < 0)
			continue;
		v = &r->slot[r->from[j]];
		cols[j].v[row] = *v;
		cols[j].has_null |= v->type == T_NULL;
	}
}

void pattern_parse(struct pattern *p, const struct pattern_in *in, struct pattern_out *out)
{
	struct route r = route_make(p, in);
	const char *s, *why;
	size_t n;

	p->need = in->need;
	p->n_need = in->n_need;
	p->arena = in->arena;
	out->n_ok = out->n_bad = 0;
	if (p->def->begin)
		p->def->begin(p);
	columns_make(p, &r, in, out->cols);
	BATCH_EACH(in->sel, in->n_sel, i)
	{
		why = row_text(in, i, &s, &n) ? p->def->row(p, s, n, r.slot) : "not text";
		if (likely(!why)) {
			row_store(&r, out->cols, i);
			out->ok[out->n_ok++] = i;
			continue;
		}
		if (out->why)
			out->why[out->n_bad] = why;
		out->bad[out->n_bad++] = i;
	}
	if (!p->fields && in->need)
		for (uint32_t j = 0; j < r.n; j++)
			out->cols[j] = column_tighten(in->arena, out->cols[j].v, out->ok, out->n_ok, in->n_rows);
}
