#include "io/source_list.h"

#include <stdlib.h>

#include "base/buf.h"

struct values_source {
	struct source base;
	struct buf lines;
	size_t at;
};

static int hex(char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; }

/* The text between two commas; its escapes have been checked when the URL was parsed. */
static void add_value(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '%') {
			buf_char(b, (char)(hex(p[i + 1]) << 4 | hex(p[i + 2])));
			i += 2;
		} else {
			buf_char(b, p[i]);
		}
	}
	buf_char(b, '\n');
}

static struct source *values_open(const struct url *u, struct err *e)
{
	struct values_source *v = xcalloc(1, sizeof *v);
	const char *p = u->raw;

	(void)e;
	while (*u->raw) {
		size_t n = strcspn(p, ",");

		add_value(&v->lines, p, n);
		p += n;
		if (!*p++)
			break;
	}
	v->base.name = "values";
	v->base.size = (int64_t)v->lines.n;
	return &v->base;
}

static ssize_t values_read(struct source *s, char *p, size_t n, struct err *e)
{
	struct values_source *v = (struct values_source *)s;
	size_t left = v->lines.n - v->at;

	(void)e;
	if (n > left)
		n = left;
	if (n)
		memcpy(p, v->lines.p + v->at, n);
	v->at += n;
	s->position += (int64_t)n;
	return (ssize_t)n;
}

static void values_close(struct source *s) { buf_release(&((struct values_source *)s)->lines); }

const struct source_def source_values = {
	.doc = {
		.name = "values",
		.synopsis = "values:A,B,C",
		.summary = "the values that stand in the URL, a line each",
		.group = "sources",
		.text = "A comma, question mark or percent sign in a value is written %2C, %3F, %25. 'values:' has no records.",
		.params = { SOURCE_READ_DOC },
		.examples = {
			{ "--from values:to,be,to 'count by line'", NULL, "to\t2\nbe\t1\n", "records without a file" },
		},
	},
	.open = values_open,
	.read = values_read,
	.close = values_close,
	.default_format = "lines",
};
