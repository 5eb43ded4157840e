#include "cli/inputs.h"

#include <string.h>

#include "base/nearest.h"
#include "io/source.h"

/* By the end of the file's name, behind which options may stand. */
static const struct codec_def *by_name(struct arena *a, const char *spec)
{
	const struct codec_def *c = codec_by_file(spec);

	return c ? c : codec_by_file(arena_str(a, spec, strcspn(spec, "?")));
}

/* What the source is by itself, NULL: no telling. */
static const struct codec_def *by_source(struct arena *a, const char *spec)
{
	const char *own = source_spec_format(spec);
	const struct codec_def *c = own ? codec_find(own) : by_name(a, spec);

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
static int split_names(struct arena *a, const char *text, struct decode_opts *d, struct err *e)
{
	const char **names = arena_array(a, const char *, strlen(text) + 1), *all = text;

	d->header = names;
	d->n_header = 0;
	for (;; text++) {
		size_t n = strcspn(text, ",");

		if (!n)
			return err_set(e, ERR_USAGE, "header=%s: has an empty name", all);
		names[d->n_header++] = arena_str(a, text, n);
		text += n;
		if (!*text)
			return 0;
	}
}

static int take_options(struct options *o, const char *spec, struct inputs *out, unsigned i, struct err *e)
{
	struct arena *a = &o->arena;
	struct decode_opts *d = &out->decode[i];
	const char *format = source_spec_option(spec, "format", a), *header = source_spec_option(spec, "header", a);
	const char *delimiter = source_spec_option(spec, "delimiter", a), *schema = source_spec_option(spec, "schema", a);
	bool no_header = source_spec_option(spec, "no-header", a);

	if (format && !(out->in[i].codec = named_format(spec, format, e)))
		return -1;
	if (header && split_names(a, header, d, e))
		return -1;
	if (delimiter && strcmp(delimiter, "tab") != 0 && strlen(delimiter) != 1)
		return err_set(e, ERR_USAGE, "%s: delimiter is one byte, or tab", spec);
	if (delimiter)
		d->delimiter = strcmp(delimiter, "tab") ? *delimiter : '\t';
	if (schema)
		out->schema[i] = schema;
	d->no_header |= no_header;
	out->mixed |= format || header || delimiter || schema || no_header;
	return 0;
}

/* Without -i an input with a name is what it is by itself; those without one are all as the first. */
static const struct codec_def *format_of(struct options *o, unsigned i, bool given)
{
	const struct codec_def *c = given || !o->names[i] ? NULL : by_source(&o->arena, o->sources[i]);

	return c ? c : o->in;
}

static void choose_input(struct options *o)
{
	const struct codec_def *c = NULL;

	for (unsigned i = 0; i < o->n_sources && !c; i++)
		c = o->names[i] ? NULL : by_source(&o->arena, o->sources[i]);
	if (!c && o->n_sources && o->names[0])
		c = by_source(&o->arena, o->sources[0]);
	o->in = c ? c : codec_find("lines");
}

int inputs_make(struct options *o, struct inputs *out, struct err *e)
{
	bool given = o->in;

	if (!given)
		choose_input(o);
	out->n = o->n_sources && !o->no_input ? o->n_sources : 1;
	out->in = arena_zero(&o->arena, out->n * sizeof *out->in);
	out->decode = arena_zero(&o->arena, out->n * sizeof *out->decode);
	out->reads = arena_zero(&o->arena, out->n * sizeof *out->reads);
	out->schema = arena_zero(&o->arena, out->n * sizeof *out->schema);
	for (unsigned i = 0; i < out->n; i++) {
		struct decode_opts *d = &out->decode[i];

		out->schema[i] = o->schema;
		*d = (struct decode_opts){ .max_record = o->max_record, .no_header = o->no_header, .header = o->header,
					   .n_header = o->n_header, .delimiter = o->delimiter };
		out->in[i] = (struct plan_input){ .codec = o->n_sources ? format_of(o, i, given) : o->in, .nothing = o->no_input };
		if (o->n_sources && !o->no_input && take_options(o, o->sources[i], out, i, e))
			return -1;
		out->in[i].name = o->n_sources && !o->no_input ? o->names[i] : NULL;
		out->in[i].names = d->header;
		out->in[i].n_names = d->n_header;
		out->in[i].no_header = d->no_header;
		out->mixed |= out->in[i].codec != o->in;
	}
	return 0;
}

static bool alike(const struct inputs *in, unsigned a, unsigned b)
{
	const struct decode_opts *x = &in->decode[a], *y = &in->decode[b];

	return in->in[a].point == in->in[b].point && in->reads[a].codec == in->reads[b].codec && in->schema[a] == in->schema[b] &&
	       x->header == y->header && x->no_header == y->no_header && x->delimiter == y->delimiter;
}

void inputs_read_by(struct inputs *in, const struct codec_def *const *codecs)
{
	for (unsigned i = 0; i < in->n; i++) {
		in->reads[i] = (struct job_input){ .codec = codecs[i], .decode = &in->decode[i], .group = i };
		if (i && alike(in, i - 1, i))
			in->reads[i].group = in->reads[i - 1].group;
	}
}
