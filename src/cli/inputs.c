#include "cli/inputs.h"

#include "io/source_read.h"

static int take_options(struct options *o, const char *spec, struct inputs *out, unsigned i, struct err *e)
{
	struct source_read r = { .codec = out->in[i].codec, .decode = out->decode[i], .schema = out->schema[i] };

	if (source_spec_read(spec, &r, &o->arena, e))
		return -1;
	out->in[i].codec = r.codec;
	out->decode[i] = r.decode;
	out->schema[i] = r.schema;
	out->mixed |= r.own;
	return 0;
}

/* Without -i an input with a name is what it is by itself; those without one are all as the first. */
static const struct codec_def *format_of(struct options *o, unsigned i, bool given)
{
	const struct codec_def *c = given || !o->names[i] ? NULL : source_spec_codec(o->sources[i], &o->arena);

	return c ? c : o->in;
}

static void choose_input(struct options *o)
{
	const struct codec_def *c = NULL;

	for (unsigned i = 0; i < o->n_sources && !c; i++)
		c = o->names[i] ? NULL : source_spec_codec(o->sources[i], &o->arena);
	if (!c && o->n_sources && o->names[0])
		c = source_spec_codec(o->sources[0], &o->arena);
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
