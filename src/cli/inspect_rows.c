#include "config.h"

/* Rows of `strm checkpoint` through the encoders. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/inspect.h"

/* Bytes of rows that wait for the encoder. */
#define ROWS_BYTES_MAX ((size_t)1 << 20)

static uint32_t width(bool tty)
{
	struct winsize w;

	return !tty || ioctl(1, TIOCGWINSZ, &w) ? 0 : w.ws_col;
}

int shown_open(struct shown *r, const struct options *o, const char *codec, const char *const *columns, uint32_t n, struct err *e)
{
	bool tty = isatty(1);

	*r = (struct shown){ .codec = o->out ? o->out : codec_find(codec) };
	r->opts = (struct encode_opts){ .fields = columns, .n_fields = n, .no_header = o->no_header,
					.delimiter = !strcmp(r->codec->doc.name, "csv") ? o->out_delimiter : 0,
					.color = o->color == WHEN_ALWAYS || (o->color == WHEN_AUTO && tty), .width = width(tty) };
	r->opts.format = (struct value_format){ .ofmt = o->ofmt, .times = o->times, .zone = o->zone };
	r->enc = r->codec->open_out(&r->opts, e);
	if (!r->enc)
		return -1;
	r->enc->def = r->codec;
	return 0;
}

static int write_out(struct shown *r, struct err *e)
{
	size_t n = r->out.n ? fwrite(r->out.p, 1, r->out.n, stdout) : 0;

	if (n < r->out.n)
		return err_set(e, ERR_IO, "stdout: %s", strerror(errno));
	r->out.n = 0;
	return 0;
}

/* What waits, as a batch. */
static int put_batch(struct shown *r, struct err *e)
{
	struct batch b = { .schema = r->schema, .n_rows = r->n, .n_sel = r->n, .arena = &r->arena };
	struct column *cols;

	if (!r->n)
		return 0;
	cols = arena_array(&r->arena, struct column, r->schema->n + 1);
	for (uint32_t c = 0; c < r->schema->n; c++) {
		struct value *v = arena_array(&r->arena, struct value, r->n);

		for (uint32_t i = 0; i < r->n; i++)
			v[i] = r->values[(size_t)i * r->schema->n + c];
		cols[c] = column_tighten(&r->arena, v, NULL, r->n, r->n);
	}
	b.cols = cols;
	if (r->codec->encode(r->enc, &b, &r->out, e))
		return -1;
	r->n = 0;
	r->bytes = 0;
	arena_reset(&r->arena);
	return write_out(r, e);
}

static const struct schema *schema_of(const struct field *fields, size_t n)
{
	const char **names = xcalloc(n + 1, sizeof *names);
	uint32_t *lengths = xcalloc(n + 1, sizeof *lengths);
	const struct schema *s;

	for (size_t i = 0; i < n; i++) {
		names[i] = fields[i].name;
		lengths[i] = fields[i].name_n;
	}
	s = schema_intern(names, lengths, (uint32_t)n);
	free(names);
	free(lengths);
	return s;
}

int shown_put(struct shown *r, const struct field *fields, size_t n, struct err *e)
{
	const struct schema *s = schema_of(fields, n);

	if ((r->n && s != r->schema) || r->n == batch_rows() || r->bytes > ROWS_BYTES_MAX)
		if (put_batch(r, e))
			return -1;
	r->schema = s;
	r->values = xgrow(r->values, &r->cap, ((size_t)r->n + 1) * (n + 1), sizeof *r->values);
	for (size_t i = 0; i < n; i++) {
		r->values[(size_t)r->n * n + i] = value_copy(&r->arena, &fields[i].v);
		r->bytes += value_bytes(&fields[i].v);
	}
	r->n++;
	return 0;
}

int shown_end(struct shown *r, struct err *e)
{
	if (put_batch(r, e))
		return -1;
	if (r->codec->flush && r->codec->flush(r->enc, &r->out, true, e))
		return -1;
	return write_out(r, e);
}

void shown_close(struct shown *r)
{
	if (r->enc)
		r->codec->close_out(r->enc);
	arena_release(&r->arena);
	buf_release(&r->out);
	free(r->values);
}
