/* `parse csv` and `parse logfmt`: each text is one record of a format that has a decoder, which is run over the text alone. */
#include "codec/pattern_impl.h"

#include "codec/codec.h"

struct record_pattern {
	struct pattern base;
	const struct codec_def *codec;
	struct decoder *dec;
	struct arena names; /* the projection that dec was opened with */
	const char **need;
	uint32_t n_need;
	bool all;
	/* of the row under way */
	struct value *slot;
	const char *text;
	size_t n;
	const char *why;
	uint32_t n_records;
};

/* A value beyond the decoder's batch: views into the text stay views. */
static struct value keep(const struct record_pattern *r, struct value v)
{
	uintptr_t at = (uintptr_t)v.s, from = (uintptr_t)r->text;

	if (type_is_bytes(v.type) && at >= from && at + v.n <= from + r->n)
		return v;
	return value_copy(r->base.arena, &v);
}

static struct value row_object(const struct record_pattern *r, const struct batch *b, uint32_t row)
{
	struct field *f = arena_array(r->base.arena, struct field, b->schema->n);

	for (uint32_t c = 0; c < b->schema->n; c++) {
		f[c].name = b->schema->names[c];
		f[c].name_n = b->schema->name_n[c];
		f[c].v = keep(r, column_get(&b->cols[c], row));
	}
	return v_object(f, b->schema->n);
}

static int record_emit(void *ctx, struct batch *b, struct err *e)
{
	struct record_pattern *r = ctx;
	uint32_t row = b->n_sel ? batch_row(b, 0) : 0;

	(void)e;
	if (!b->n_sel)
		return 0;
	r->n_records += b->n_sel;
	if (r->n_records > 1)
		r->why = "more than one record";
	else if (r->all)
		r->slot[0] = row_object(r, b, row);
	else
		for (uint32_t c = 0; c < r->n_need; c++)
			r->slot[c] = keep(r, column_get(&b->cols[c], row));
	return 0;
}

static int record_bad(void *ctx, const char *raw, size_t n, uint64_t line, const char *reason, struct err *e)
{
	struct record_pattern *r = ctx;

	(void)raw, (void)n, (void)line, (void)e;
	if (!r->why)
		r->why = arena_str(r->base.arena, reason, strlen(reason));
	return 0;
}

static void record_shut(struct record_pattern *r)
{
	if (r->dec)
		r->codec->close(r->dec);
	r->dec = NULL;
	arena_reset(&r->names);
}

static bool same_need(const struct record_pattern *r)
{
	const struct pattern *p = &r->base;

	if (r->all != !p->need || (p->need && r->n_need != p->n_need))
		return false;
	for (uint32_t k = 0; p->need && k < p->n_need; k++)
		if (strcmp(r->need[k], p->need[k]) != 0)
			return false;
	return true;
}

/* The decoder for the fields wanted now: opened anew only when they change. */
static struct decoder *record_decoder(struct record_pattern *r)
{
	const struct pattern *p = &r->base;
	struct decode_opts o = { .no_header = true, .max_record = UINT32_MAX };
	struct err e = { 0 };

	if (r->dec && same_need(r))
		return r->dec;
	record_shut(r);
	r->all = !p->need;
	r->n_need = p->need ? p->n_need : 0;
	r->need = arena_array(&r->names, const char *, r->n_need + 1);
	for (uint32_t k = 0; k < r->n_need; k++)
		r->need[k] = arena_str(&r->names, p->need[k], strlen(p->need[k]));
	o.all = r->all;
	o.fields = r->all ? NULL : r->need;
	o.n_fields = r->n_need;
	o.count_only = !r->all && !r->n_need;
	r->dec = r->codec->open(&o, &e);
	return r->dec;
}

/* The text is copied because decoders read MEM_SLACK bytes past the end of their block. */
static const char *record_row(struct pattern *p, const char *s, size_t n, struct value *slot)
{
	struct record_pattern *r = (struct record_pattern *)p;
	struct decode_to to = { .emit = record_emit, .bad = record_bad, .ctx = r };
	struct decoder *d = record_decoder(r);
	char *text = arena_bytes(p->arena, n + 1);
	struct err e = { 0 };
	size_t used;

	if (!d)
		return "this format has no decoder";
	memcpy(text, s, n);
	r->slot = slot;
	r->text = text;
	r->n = n;
	r->why = NULL;
	r->n_records = 0;
	r->codec->restart(d, NULL);
	if (r->codec->decode(d, r->text, n, true, &to, &used, &e))
		return "does not decode";
	return r->why ? r->why : r->n_records ? NULL : "no record in the text";
}

static void record_free(struct pattern *p)
{
	struct record_pattern *r = (struct record_pattern *)p;

	record_shut(r);
	arena_release(&r->names);
}

static struct pattern *record_open(const char *codec)
{
	struct record_pattern *r = xcalloc(1, sizeof *r);

	r->codec = codec_find(codec);
	if (!r->codec)
		BUG("no codec %s", codec);
	return &r->base;
}

static struct pattern *csv_open(void) { return record_open("csv"); }

static struct pattern *logfmt_open(void) { return record_open("logfmt"); }

const struct pattern_def pattern_csv = {
	.doc = {
		.name = "csv",
		.synopsis = "parse csv [of FIELD]",
		.summary = "text that is one CSV record",
		.group = "patterns",
		.text = "Fields: 1, 2, 3 ... in the order of the record. Quotes and empty fields as in the csv format.",
		.examples = {
			{ "'parse csv' 'select [\"2\"]'", "7,\"Berlin, Mitte\",x\n", "Berlin, Mitte\n", "the second field" },
		},
	},
	.open = csv_open,
	.row = record_row,
	.free = record_free,
};

const struct pattern_def pattern_logfmt = {
	.doc = {
		.name = "logfmt",
		.synopsis = "parse logfmt [of FIELD]",
		.summary = "text that is key=value pairs",
		.group = "patterns",
		.text = "Fields: the keys. Quotes and bare keys as in the logfmt format.",
		.examples = {
			{ "'parse logfmt' 'select level, msg'", "level=warn msg=\"disk is full\" used=97\n", "warn\tdisk is full\n",
			  "two of three keys" },
		},
	},
	.open = logfmt_open,
	.row = record_row,
	.free = record_free,
};
