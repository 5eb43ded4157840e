#include "codec/rows.h"

#include <stdio.h>
#include <stdlib.h>

/* Most cells of a batch: rows of many columns come in smaller batches. */
#define CELLS_MAX (1u << 17)

void rows_init(struct rows *r, struct decoder *d)
{
	*r = (struct rows){ .d = d };
	if (!d->opts.max_record || d->opts.max_record > RECORD_MAX)
		d->opts.max_record = RECORD_MAX;
}

void rows_release(struct rows *r)
{
	free(r->vals);
	free(r->cols);
	free(r->line);
	*r = (struct rows){ 0 };
}

void rows_schema(struct rows *r, const struct schema *s)
{
	uint32_t n = s->n + r->d->opts.raw, most = CELLS_MAX / (n ? n : 1);

	r->schema = s;
	r->cap = batch_rows();
	if (r->cap > most)
		r->cap = most ? most : 1;
	r->vals = xgrow(r->vals, &r->vals_cap, (size_t)n * r->cap, sizeof *r->vals);
	r->cols = xgrow(r->cols, &r->cols_cap, s->n, sizeof *r->cols);
	for (uint32_t c = 0; c < s->n; c++)
		r->cols[c] = (struct column){ .v = rows_col(r, c), .type = T_TEXT };
	r->raw = r->d->opts.raw ? rows_col(r, s->n) : NULL;
	if (!r->line)
		r->line = xmalloc(BATCH_ROWS_MAX * sizeof *r->line);
}

static void rows_clear(struct rows *r)
{
	arena_reset(&r->d->arena);
	r->n = 0;
	r->lines_odd = false;
	for (uint32_t c = 0; c < r->schema->n; c++) {
		if (r->cols[c].type == T_ANY)
			r->cols[c].type = T_TEXT;
		r->cols[c].has_null = r->cols[c].type == T_NULL;
	}
}

int rows_flush(struct rows *r, struct feed *f)
{
	struct batch b;
	int said;

	if (!r->n)
		return f->stop;
	b = (struct batch){
		.schema = r->schema,
		.cols = r->cols,
		.n_rows = r->n,
		.n_sel = r->n,
		.raw = r->raw,
		.origin = { .source = r->d->opts.source, .line_base = r->line_base, .line = r->lines_odd ? r->line : NULL },
		.arena = &r->d->arena,
	};
	said = f->to->emit(f->to->ctx, &b, f->err);
	rows_clear(r);
	if (!f->stop)
		f->stop = said;
	return f->stop;
}

void rows_line_odd(struct rows *r, uint64_t line)
{
	if (!r->lines_odd) {
		for (uint32_t i = 0; i < r->n; i++)
			r->line[i] = i;
		r->lines_odd = true;
	}
	r->line[r->n] = (uint32_t)(line - r->line_base);
}

int rows_bad(struct rows *r, struct feed *f, const char *raw, size_t n, uint64_t line, const char *reason)
{
	if (rows_flush(r, f))
		return f->stop;
	r->d->n_bad++;
	if (f->to->bad(f->to->ctx, raw, n, line, reason, f->err))
		f->stop = -1;
	arena_reset(&r->d->arena);
	return f->stop;
}

const char *rows_too_long(struct rows *r)
{
	snprintf(r->too_long, sizeof r->too_long, "longer than %zu bytes", r->d->opts.max_record);
	return r->too_long;
}

uint32_t rows_newlines(const char *p, size_t n)
{
	const char *end = p + n;
	uint32_t count = 0;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		count++;
		p++;
	}
	return count;
}

const struct schema *rows_names(const char *const *names, uint32_t n)
{
	uint32_t *len = xmalloc((n + 1) * sizeof *len);
	const struct schema *s;

	for (uint32_t i = 0; i < n; i++)
		len[i] = (uint32_t)strlen(names[i]);
	s = schema_intern(names, len, n);
	free(len);
	return s;
}

const char *rows_field_name(struct arena *a, const char *const *names, uint32_t n, uint32_t k)
{
	return k < n ? names[k] : arena_printf(a, "%u", k + 1);
}

void rows_put_names(struct buf *out, const struct schema *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		buf_add(out, s->names[i], s->name_n[i] + 1);
}

const struct schema *rows_get_names(const char *p, size_t n)
{
	const char **names = xmalloc((n + 1) * sizeof *names);
	uint32_t *lens = xmalloc((n + 1) * sizeof *lens), k = 0;
	const struct schema *s = NULL;

	for (size_t at = 0; at < n && !p[n - 1]; at += lens[k++] + 1) {
		names[k] = p + at;
		lens[k] = (uint32_t)strlen(p + at);
	}
	if (!n || !p[n - 1])
		s = schema_intern(names, lens, k);
	free(names);
	free(lens);
	return s;
}
