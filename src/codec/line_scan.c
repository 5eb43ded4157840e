#include "codec/line_scan.h"

#define SIMD_BODY "codec/line_scan.inc.h"
#include "base/simd_levels.h"

/* Bytes looked at in one go: more than any record has, and an index entry is 32 bits. */
#define LOOK_MAX (RECORD_MAX + 1)

#ifdef SIMD_X86
#define OPS(level) \
	{ \
		line_index_##level, line_count_##level \
	}
static const struct line_ops all_ops[SIMD_LEVELS] = { OPS(portable), OPS(sse2), OPS(avx2), OPS(avx512) };
#else
#define OPS \
	{ \
		line_index_portable, line_count_portable \
	}
static const struct line_ops all_ops[SIMD_LEVELS] = { OPS, OPS, OPS, OPS };
#endif

const struct line_ops *line_ops(enum simd_level level) { return &all_ops[level]; }

void line_reader_init(struct line_reader *l, enum simd_level level)
{
	l->ops = line_ops(level);
	l->n = l->i = 0;
	l->skip = false;
}

/* Look ahead from f->at; false when no newline is there. */
static bool look_ahead(struct line_reader *l, struct feed *f)
{
	size_t n = f->n - f->at;

	l->base = f->p + f->at;
	l->n = batch_rows();
	l->i = 0;
	l->ops->index(l->base, n < LOOK_MAX ? n : LOOK_MAX, l->ends, &l->n);
	return l->n > 0;
}

void line_reader_feed(struct line_reader *l, struct feed *f)
{
	l->n = l->i = 0;
	l->base = f->p + f->at;
}

/* Drop the rest of a long line; true when its end was there. */
static bool skip_rest(struct line_reader *l, struct rows *r, struct feed *f)
{
	const char *from = f->p + f->at, *end = memchr(from, '\n', f->n - f->at);

	if (!end) {
		f->at = f->n;
		return false;
	}
	f->at = (size_t)(end + 1 - f->p);
	l->skip = false;
	r->d->line++;
	return true;
}

/* The line at f->at is over the limit, wherever it ends. */
static int too_long(struct line_reader *l, struct rows *r, struct feed *f)
{
	const char *from = f->p + f->at;

	if (rows_bad(r, f, from, r->d->opts.max_record, r->d->line, rows_too_long(r)))
		return 0;
	l->skip = true;
	line_reader_feed(l, f);
	return skip_rest(l, r, f);
}

int line_next_slow(struct line_reader *l, struct rows *r, struct feed *f, struct value *line)
{
	for (;;) {
		const char *from = f->p + f->at;
		size_t n = f->n - f->at;
		bool whole;

		if (f->stop || !n || (l->skip && !skip_rest(l, r, f)))
			return 0;
		from = f->p + f->at;
		n = f->n - f->at;
		whole = l->i < l->n || look_ahead(l, f);
		if (whole)
			n = (size_t)(l->base + l->ends[l->i++] - from);
		if (n > r->d->opts.max_record) {
			if (!too_long(l, r, f))
				return 0;
			continue;
		}
		if (!whole && (!f->final || !n))
			return 0;
		*line = v_text(from, n);
		f->at += n + whole;
		r->d->line++;
		return 1;
	}
}

int line_next(struct line_reader *l, struct rows *r, struct feed *f, struct value *line)
{
	const char *from = f->p + f->at;
	size_t n;

	if (unlikely(l->i >= l->n || l->skip || f->stop))
		return line_next_slow(l, r, f, line);
	n = (size_t)(l->base + l->ends[l->i] - from);
	if (unlikely(n > r->d->opts.max_record))
		return line_next_slow(l, r, f, line);
	l->i++;
	*line = v_text(from, n);
	f->at += n + 1;
	r->d->line++;
	return 1;
}
