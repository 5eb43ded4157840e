#include "io/source_read.h"

#include <string.h>
#include <sys/stat.h>

#include "base/nearest.h"
#include "data/hash.h"

const struct codec_def *source_spec_codec(const char *spec, struct arena *a)
{
	const char *own = source_spec_format(spec);
	const struct codec_def *c = own ? codec_find(own) : codec_by_file(spec);

	if (!c)
		c = codec_by_file(arena_str(a, spec, strcspn(spec, "?")));
	return c && c->open ? c : NULL;
}

static const struct codec_def *named_format(const char *spec, const char *name, struct err *e)
{
	const struct codec_def *c = codec_find(name);
	struct nearest s;

	if (c && c->open)
		return c;
	err_set(e, ERR_USAGE, c ? "%s: format %s is for output only" : "%s: unknown format \"%s\"", spec, name);
	nearest_init(&s, name, strlen(name));
	codec_nearest(&s);
	if (s.best && !c)
		err_hint(e, "did you mean %s?", s.best);
	return NULL;
}

/* a,b,c */
static int split_names(struct arena *a, const char *all, struct decode_opts *d, struct err *e)
{
	const char **names = arena_array(a, const char *, strlen(all) + 1);

	d->header = names;
	d->n_header = 0;
	for (const char *p = all;; p++) {
		size_t n = strcspn(p, ",");

		if (!n)
			return err_set(e, ERR_USAGE, "header=%s: has an empty name", all);
		names[d->n_header++] = arena_str(a, p, n);
		p += n;
		if (!*p)
			return 0;
	}
}

int source_spec_read(const char *spec, struct source_read *r, struct arena *a, struct err *e)
{
	const char *format = source_spec_option(spec, "format", a), *header = source_spec_option(spec, "header", a);
	const char *delimiter = source_spec_option(spec, "delimiter", a), *schema = source_spec_option(spec, "schema", a);
	bool no_header = source_spec_option(spec, "no-header", a);

	if (format && !(r->codec = named_format(spec, format, e)))
		return -1;
	if (header && split_names(a, header, &r->decode, e))
		return -1;
	if (delimiter && strcmp(delimiter, "tab") != 0 && strlen(delimiter) != 1)
		return err_set(e, ERR_USAGE, "%s: delimiter is one byte, or tab", spec);
	if (delimiter)
		r->decode.delimiter = strcmp(delimiter, "tab") ? *delimiter : '\t';
	if (schema)
		r->schema = schema;
	r->decode.no_header |= no_header;
	r->own = format || header || delimiter || schema || no_header;
	return 0;
}

uint64_t source_spec_stamp(const char *spec)
{
	struct stat st;
	int64_t parts[5];

	if (!source_spec_stat(spec, &st))
		return 0;
	parts[0] = (int64_t)st.st_dev;
	parts[1] = (int64_t)st.st_ino;
	parts[2] = st.st_size;
	parts[3] = st.st_mtim.tv_sec;
	parts[4] = st.st_mtim.tv_nsec;
	return hash_bytes((const char *)parts, sizeof parts) | 1;
}
