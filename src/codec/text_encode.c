#include "codec/text_encode.h"

#include <stdio.h>
#include <stdlib.h>

#include "codec/rows.h"

struct encoder *text_open(size_t size, const struct codec_def *def, const struct encode_opts *o)
{
	struct text_encoder *t = xcalloc(1, size);

	t->base.def = def;
	t->base.opts = *o;
	if (!t->base.opts.format.nan_to_null)
		t->base.opts.format.nan_to_null = &t->base.n_nan;
	if (o->fields)
		t->header = rows_names(o->fields, o->n_fields);
	return &t->base;
}

void text_close(struct encoder *c)
{
	struct text_encoder *t = (struct text_encoder *)c;

	if (!t)
		return;
	arena_release(&t->base.keep);
	buf_release(&t->scratch);
	free(t->map);
	free(t->extra);
	free(t);
}

void text_save(const struct encoder *c, struct buf *out)
{
	const struct text_encoder *t = (const struct text_encoder *)c;

	if (t->header && !c->opts.fields)
		rows_put_names(out, t->header);
}

int text_load(struct encoder *c, const char *p, size_t n)
{
	struct text_encoder *t = (struct text_encoder *)c;

	if (!n || c->opts.fields)
		return 0;
	t->header = rows_get_names(p, n);
	return t->header ? 0 : -1;
}

static void make_map(struct text_encoder *t, const struct schema *s)
{
	const struct schema *h = t->header;

	t->map = xgrow(t->map, &t->map_cap, h->n, sizeof *t->map);
	t->extra = xgrow(t->extra, &t->extra_cap, s->n, sizeof *t->extra);
	t->n_extra = 0;
	for (uint32_t c = 0; c < h->n; c++)
		t->map[c] = schema_find(s, h->names[c], h->name_n[c]);
	for (uint32_t i = 0; i < s->n; i++)
		if (schema_find(h, s->names[i], s->name_n[i]) < 0)
			t->extra[t->n_extra++] = i;
	t->seen = s;
}

static void count_extra(struct text_encoder *t, const struct batch *b, uint32_t i)
{
	uint64_t n = 0;

	BATCH_EACH(b->sel, b->n_sel, row)
	{
		n += !column_null(&b->cols[i], row);
	}
	if (n && !t->base.n_unseen)
		snprintf(t->base.unseen, sizeof t->base.unseen, "%s", b->schema->names[i]);
	t->base.n_unseen += n;
}

bool text_map(struct text_encoder *t, const struct batch *b)
{
	if (!t->header && b->schema->n)
		t->header = b->schema;
	if (!t->header)
		return false;
	if (t->seen != b->schema)
		make_map(t, b->schema);
	for (uint32_t i = 0; i < t->n_extra; i++)
		count_extra(t, b, t->extra[i]);
	return true;
}

const char *text_cell(struct text_encoder *t, const struct value *v, size_t *n)
{
	if (type_is_bytes(v->type)) {
		*n = v->n;
		return v->s;
	}
	*n = 0;
	if (v->type == T_NULL)
		return NULL;
	t->scratch.n = 0;
	value_print(&t->scratch, v, &t->base.opts.format);
	*n = t->scratch.n;
	return t->scratch.p ? t->scratch.p : "";
}

void text_lines(const struct value *v, const struct batch *b, struct buf *out)
{
	for (uint32_t k = 0; k < b->n_sel;) {
		const struct value *first = &v[batch_row(b, k++)];
		const char *end = first->s + first->n;

		if (first->type == T_NULL) {
			buf_char(out, '\n');
			continue;
		}
		for (; k < b->n_sel; k++) {
			const struct value *next = &v[batch_row(b, k)];

			if (next->type == T_NULL || next->s != end + 1 || *end != '\n')
				break;
			end = next->s + next->n;
		}
		buf_add(out, first->s, (size_t)(end - first->s));
		buf_char(out, '\n');
	}
}

void text_verbatim(const struct batch *b, struct buf *out) { text_lines(b->raw, b, out); }

int text_flush_none(struct encoder *c, struct buf *out, bool last, struct err *e)
{
	(void)c;
	(void)out;
	(void)last;
	(void)e;
	return 0;
}
