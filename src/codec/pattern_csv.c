/* `parse csv`: each text is one CSV record. The grammar is that of the csv format (codec/csv.c), row by row; a test holds one to
 * the other. */
#include "codec/pattern_impl.h"

#include <stdlib.h>

struct csv_pattern {
	struct pattern base;
	uint32_t *wanted;    /* of each needed name: the field's number from 0, UINT32_MAX when it is no number */
	struct value *cells; /* of the row under way, with all fields wanted */
	size_t cells_cap, names_cap;
	char **names; /* "1", "2" ... in base.keep */
	uint32_t n_cells, n_names;
};

/* What is left of the record. */
struct rest {
	const char *p, *end;
};

/* A field's number from its name: decimal, from 1, spelled as the names are. */
static uint32_t number_of(const char *name)
{
	char back[NUM_MAX + 1];
	unsigned long v = strtoul(name, NULL, 10);
	size_t n;

	if (!v || v >= UINT32_MAX)
		return UINT32_MAX;
	n = num_format_uint(v, back);
	return strlen(name) == n && !memcmp(name, back, n) ? (uint32_t)v - 1 : UINT32_MAX;
}

static void csv_begin(struct pattern *p)
{
	struct csv_pattern *c = (struct csv_pattern *)p;

	if (!p->need)
		return;
	c->wanted = arena_array(p->arena, uint32_t, p->n_need + 1);
	for (uint32_t k = 0; k < p->n_need; k++)
		c->wanted[k] = number_of(p->need[k]);
}

/* n bytes with each "" made ". */
static struct value undouble(struct arena *a, const char *p, size_t n)
{
	char *out = arena_bytes(a, n), *d = out;

	for (size_t i = 0; i < n; i++) {
		*d++ = p[i];
		i += p[i] == '"' && i + 1 < n && p[i + 1] == '"';
	}
	return v_text(out, (size_t)(d - out));
}

static const char never_closes[] = "a quote never closes", more_records[] = "more than one record";

/* A field in quotes, r behind the opening one. A quote that no comma, quote or end of the record follows is data. NULL, or what
 * is wrong. */
static const char *quoted(struct rest *r, struct arena *a, struct value *v)
{
	const char *start = r->p;
	bool doubled = false;

	for (; (r->p = memchr(r->p, '"', (size_t)(r->end - r->p))); r->p++) {
		size_t n = (size_t)(r->p - start);
		char next = r->p + 1 < r->end ? r->p[1] : ',';

		if (next == '\n' || next == '\r')
			return more_records;
		if (next == ',') {
			*v = doubled ? undouble(a, start, n) : v_text(start, n);
			r->p++;
			return NULL;
		}
		doubled |= next == '"';
		r->p += next == '"';
	}
	return never_closes;
}

/* A field without quotes. Returns false when a line ends in it. */
static bool plain(struct rest *r, struct value *v)
{
	const char *start = r->p;

	for (; r->p < r->end && *r->p != ','; r->p++)
		if (*r->p == '\n' || *r->p == '\r')
			return false;
	*v = r->p == start ? v_null() : v_text(start, (size_t)(r->p - start));
	return true;
}

/* The field at r and r behind it: NULL, or what is wrong. */
static const char *next_field(struct rest *r, struct arena *a, struct value *v)
{
	if (r->p < r->end && *r->p == '"') {
		r->p++;
		return quoted(r, a, v);
	}
	return plain(r, v) ? NULL : more_records;
}

static void take(struct csv_pattern *c, uint32_t i, const struct value *v, struct value *slot)
{
	if (!c->base.need) {
		c->cells = xgrow(c->cells, &c->cells_cap, (size_t)i + 1, sizeof *c->cells);
		c->cells[i] = *v;
	}
	for (uint32_t k = 0; c->base.need && k < c->base.n_need; k++)
		if (c->wanted[k] == i)
			slot[k] = *v;
}

static const char *name_of(struct csv_pattern *c, uint32_t i)
{
	while (c->n_names <= i) {
		c->names = xgrow(c->names, &c->names_cap, (size_t)c->n_names + 1, sizeof *c->names);
		c->names[c->n_names] = arena_printf(&c->base.keep, "%u", c->n_names + 1);
		c->n_names++;
	}
	return c->names[i];
}

static struct value all_fields(struct csv_pattern *c, uint32_t n)
{
	struct field *f = arena_array(c->base.arena, struct field, n);

	for (uint32_t i = 0; i < n; i++) {
		f[i].name = name_of(c, i);
		f[i].name_n = (uint32_t)strlen(f[i].name);
		f[i].v = c->cells[i];
	}
	return v_object(f, n);
}

/* The record ends at a line end outside of quotes; one at the very end of the text is not part of it. */
static size_t without_line_end(const char *s, size_t n)
{
	n -= n && s[n - 1] == '\n';
	return n - (n && s[n - 1] == '\r');
}

static const char *csv_row(struct pattern *p, const char *s, size_t n, struct value *slot)
{
	struct csv_pattern *c = (struct csv_pattern *)p;
	struct rest r = { s, s + without_line_end(s, n) };
	const char *why;
	struct value v;
	uint32_t i = 0;

	if (r.p == r.end)
		return "no record in the text";
	for (uint32_t k = 0; p->need && k < p->n_need; k++)
		slot[k] = v_null();
	for (;; r.p++) {
		why = next_field(&r, p->arena, &v);
		if (why)
			return why;
		take(c, i++, &v, slot);
		if (r.p == r.end)
			break;
	}
	if (!p->need)
		slot[0] = all_fields(c, i);
	return NULL;
}

static void csv_free(struct pattern *p)
{
	struct csv_pattern *c = (struct csv_pattern *)p;

	free(c->cells);
	free(c->names);
}

static struct pattern *csv_open(void) { return xcalloc(1, sizeof(struct csv_pattern)); }

const struct pattern_def pattern_csv = {
	.doc = {
		.name = "csv",
		.synopsis = "parse csv [of FIELD]",
		.summary = "text that is one CSV record",
		.group = "patterns",
		.text = "Fields: 1, 2, 3 ... in the order of the record. Quotes and empty fields are as in the csv format.",
		.examples = {
			{ "'parse csv' 'select [\"2\"]'", "7,\"Berlin, Mitte\",x\n", "Berlin, Mitte\n", "the second field" },
		},
	},
	.open = csv_open,
	.begin = csv_begin,
	.row = csv_row,
	.free = csv_free,
};
