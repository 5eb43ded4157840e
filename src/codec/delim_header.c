/* The columns of a csv or tsv file: names of its fields, made unique, and where each batch column comes from. */
#include <stdlib.h>

#include "codec/delim.h"
#include "codec/name_set.h"

/* The names so far; next[field]: the suffix to try next for another field of that name. */
struct names {
	struct name_set set;
	uint32_t *next;
	bool repeated;
};

/* A name that two fields have gets _2, _3 ... from the second on. */
static void add_name(struct names *t, struct arena *keep, const char *p, uint32_t n)
{
	int64_t first = name_set_find(&t->set, p, n), taken = first;

	while (taken >= 0) {
		t->repeated = true;
		p = arena_printf(keep, "%.*s_%u", (int)t->set.len[first], t->set.name[first], t->next[first]++);
		n = (uint32_t)strlen(p);
		taken = name_set_find(&t->set, p, n);
	}
	t->next[name_set_add(&t->set, p, n)] = 2;
}

/* The bytes of a header cell as a name: a NUL, which a name cannot hold, ends it. */
static uint32_t name_len(const struct value *v) { return v->type == T_NULL ? 0 : (uint32_t)strnlen(v->s, v->n); }

static const struct schema *make_header(struct delim_decoder *d, const struct decode_to *to)
{
	const struct decode_opts *o = &d->base.opts;
	uint32_t n = o->header ? o->n_header : d->record.n;
	struct arena *keep = &d->base.keep;
	const struct schema *s;
	struct names t = { 0 };

	name_set_begin(&t.set, n);
	t.next = xmalloc(n * sizeof *t.next);
	for (uint32_t i = 0; i < n; i++) {
		const struct value *cell = !o->header && !o->no_header ? &d->record.cells[i] : NULL;
		const char *p = cell && name_len(cell) ? cell->s : rows_field_name(keep, o->header, o->n_header, i);

		add_name(&t, keep, p, cell && name_len(cell) ? name_len(cell) : (uint32_t)strlen(p));
	}
	s = schema_intern(t.set.name, t.set.len, n);
	if (t.repeated && to->note)
		to->note(to->ctx, "duplicate field names in the header: later ones have _2, _3 behind them");
	name_set_release(&t.set);
	free(t.next);
	return s;
}

void delim_set_header(struct delim_decoder *d, const struct schema *names)
{
	const struct decode_opts *o = &d->base.opts;
	const struct schema *s = d->header = names;

	if (!o->all)
		s = rows_names(o->fields, o->n_fields);
	rows_schema(&d->rows, s);
	d->from = xgrow(d->from, &d->from_cap, s->n, sizeof *d->from);
	for (uint32_t c = 0; c < s->n; c++) {
		d->from[c] = schema_find(d->header, s->names[c], s->name_n[c]);
		if (d->from[c] < 0)
			d->rows.cols[c] = (struct column){ .type = T_NULL, .has_null = true };
	}
}

void delim_header(struct delim_decoder *d, const struct decode_to *to) { delim_set_header(d, make_header(d, to)); }
