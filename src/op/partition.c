#include "op/partition.h"

#include <stdlib.h>

#include "base/nearest.h"
#include "data/keytab.h"

#define NO_VALUE "__HIVE_DEFAULT_PARTITION__"
/* Bytes gathered before the files are written: for one, for all. */
#define FILE_BYTES ((size_t)256 << 10)
#define ALL_BYTES ((size_t)16 << 20)

struct partition {
	struct encoder *enc;
	struct buf buf;
	uint32_t part;     /* of the sink */
	uint32_t n, at;    /* of the batch at hand: rows, and where they end among the rows by partition */
};

struct partitions {
	const struct sink_spec *spec;
	struct sink *sink;
	struct encode_opts opts; /* of the files */
	const char *fields[PARTITION_FIELDS_MAX];
	bool seen[PARTITION_FIELDS_MAX];
	uint32_t n_fields;
	struct arena keep;       /* names */
	struct keytab table;     /* sub-directory -> partition, of the micro-batch at hand */
	struct partition *at;
	uint32_t n;
	size_t cap, held;        /* bytes in the buffers */
	struct buf path;
	/* of the schema looked at last */
	const struct schema *schema, *rest;
	int cols[PARTITION_FIELDS_MAX]; /* -1: not there */
	uint32_t *rest_cols;
	size_t rest_cap;
};

/* ---- the fields ---- */

static int no_list(const struct partitions *p, const char *why, struct err *e)
{
	return err_set(e, ERR_USAGE, "%s: option 'partition' %s", p->sink->url.spec, why);
}

static int take_field(struct partitions *p, const char *name, size_t n, struct err *e)
{
	if (!n)
		return no_list(p, "has an empty name", e);
	if (p->n_fields == PARTITION_FIELDS_MAX)
		return no_list(p, "names more than 16 fields", e);
	p->fields[p->n_fields] = arena_str(&p->keep, name, n);
	for (uint32_t i = 0; i < p->n_fields; i++)
		if (!strcmp(p->fields[i], p->fields[p->n_fields]))
			return no_list(p, "names a field twice", e);
	p->n_fields++;
	return 0;
}

static int take_fields(struct partitions *p, const char *list, struct err *e)
{
	for (;; list++) {
		size_t n = strcspn(list, ",");

		if (take_field(p, list, n, e))
			return -1;
		list += n;
		if (!*list)
			return 0;
	}
}

static bool is_field(const struct partitions *p, const char *name)
{
	for (uint32_t i = 0; i < p->n_fields; i++)
		if (!strcmp(p->fields[i], name))
			return true;
	return false;
}

static int no_column(const struct partitions *p, const char *name, struct err *e)
{
	const struct encode_opts *o = &p->spec->opts;
	struct nearest near;

	nearest_init(&near, name, strlen(name));
	for (uint32_t i = 0; i < o->n_fields; i++)
		nearest_offer(&near, o->fields[i]);
	err_set(e, ERR_USAGE, "%s: the records have no field \"%s\" to partition by", p->sink->url.spec, name);
	return near.best ? err_hint(e, "did you mean %s?", near.best) : -1;
}

static int no_rest(const struct partitions *p, struct err *e)
{
	err_set(e, ERR_USAGE, "%s: the records have no other fields than those to partition by", p->sink->url.spec);
	return err_hint(e, "files hold the other fields: leave one field out of `partition`");
}

/* The columns of the files, where the program fixes them. */
static int take_columns(struct partitions *p, struct err *e)
{
	const struct encode_opts *o = &p->spec->opts;
	const char **rest;
	uint32_t n = 0;

	p->opts = *o;
	p->opts.verbatim = false;
	if (!o->fields)
		return 0;
	for (uint32_t i = 0, found; i < p->n_fields; i++) {
		for (found = 0; found < o->n_fields && strcmp(o->fields[found], p->fields[i]); found++)
			;
		if (found == o->n_fields)
			return no_column(p, p->fields[i], e);
	}
	rest = arena_array(&p->keep, const char *, o->n_fields + 1);
	for (uint32_t i = 0; i < o->n_fields; i++)
		if (!is_field(p, o->fields[i]))
			rest[n++] = o->fields[i];
	p->opts.fields = rest;
	p->opts.n_fields = n;
	return n ? 0 : no_rest(p, e);
}

struct partitions *partitions_new(const struct sink_spec *spec, struct sink *sink, const char *fields, struct err *e)
{
	struct partitions *p = xcalloc(1, sizeof *p);

	p->spec = spec;
	p->sink = sink;
	keytab_init(&p->table);
	if (!take_fields(p, fields, e) && !take_columns(p, e))
		return p;
	partitions_free(p);
	return NULL;
}

/* ---- the schema of a batch, taken apart ---- */

static int take_schema(struct partitions *p, const struct schema *s, struct err *e)
{
	struct arena a = { 0 };
	const char **names = arena_array(&a, const char *, s->n + 1);
	uint32_t *len = arena_array(&a, uint32_t, s->n + 1), n = 0;

	for (uint32_t i = 0; i < p->n_fields; i++) {
		p->cols[i] = schema_find(s, p->fields[i], strlen(p->fields[i]));
		p->seen[i] |= p->cols[i] >= 0;
	}
	p->rest_cols = xgrow(p->rest_cols, &p->rest_cap, s->n + 1, sizeof *p->rest_cols);
	for (uint32_t i = 0; i < s->n; i++) {
		if (is_field(p, s->names[i]))
			continue;
		names[n] = s->names[i];
		len[n] = s->name_n[i];
		p->rest_cols[n++] = i;
	}
	p->rest = schema_intern(names, len, n);
	p->schema = s;
	arena_release(&a);
	return n ? 0 : no_rest(p, e);
}

/* The batch without the fields that name directories. */
static struct batch rest_of(const struct partitions *p, const struct batch *b)
{
	struct batch out = *b;
	struct column *cols = arena_array(b->arena, struct column, p->rest->n);

	for (uint32_t i = 0; i < p->rest->n; i++)
		cols[i] = b->cols[p->rest_cols[i]];
	out.schema = p->rest;
	out.cols = cols;
	out.raw = NULL;
	return out;
}

/* ---- names of directories ---- */

static void put_escaped(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c == 0x7F || strchr("\"#%'*/:=?\\{[]^", c))
			buf_printf(b, "%%%02X", c);
		else
			buf_char(b, (char)c);
	}
}

static void put_value(const struct partitions *p, struct buf *b, const struct value *v)
{
	struct buf text = { 0 };

	if (type_is_bytes(v->type)) {
		put_escaped(b, v->s, v->n);
		return;
	}
	value_print(&text, v, &p->opts.format);
	put_escaped(b, text.p, text.n);
	buf_release(&text);
}

/* a=x/b=y of a row, into p->path. */
static void make_path(struct partitions *p, const struct batch *b, uint32_t row)
{
	p->path.n = 0;
	for (uint32_t i = 0; i < p->n_fields; i++) {
		struct value v = p->cols[i] >= 0 ? column_get(&b->cols[p->cols[i]], row) : v_null();

		if (i)
			buf_char(&p->path, '/');
		put_escaped(&p->path, p->fields[i], strlen(p->fields[i]));
		buf_char(&p->path, '=');
		if (v.type == T_NULL || (type_is_bytes(v.type) && !v.n))
			buf_str(&p->path, NO_VALUE);
		else
			put_value(p, &p->path, &v);
	}
}

/* ---- partitions ---- */

static int add_partition(struct partitions *p, struct err *e)
{
	const struct codec_def *def = p->spec->codec;
	struct encoder *enc;

	if (p->n == PARTITIONS_MAX) {
		err_set(e, ERR_IO, "%s: more than %u partitions in a micro-batch", p->sink->url.spec, PARTITIONS_MAX);
		return err_hint(e, "partition by fields with fewer values, or make the micro-batches shorter");
	}
	enc = def->open_out(&p->opts, e);
	if (!enc)
		return -1;
	enc->def = def;
	p->at = xgrow(p->at, &p->cap, p->n + 1, sizeof *p->at);
	p->at[p->n++] = (struct partition){ .enc = enc, .part = sink_part(p->sink, buf_cstr(&p->path)) };
	return 0;
}

/* Of a batch: the partition of each selected row, and which there are, in order of first appearance. */
struct found {
	uint32_t *of, *touched;
	uint32_t n_touched;
};

static int find_partitions(struct partitions *p, const struct batch *b, struct found *f, struct err *e)
{
	for (uint32_t k = 0; k < b->n_sel; k++) {
		struct key_bytes key;
		uint32_t at;

		make_path(p, b, batch_row(b, k));
		key = (struct key_bytes){ p->path.p, (uint32_t)p->path.n, KEY_TEXT };
		keytab_put(&p->table, &key, 1, &at);
		if (at == p->n && add_partition(p, e))
			return -1;
		if (!p->at[at].n++)
			f->touched[f->n_touched++] = at;
		f->of[k] = at;
	}
	return 0;
}

/* ---- writing ---- */

static int write_part(struct partitions *p, struct partition *to, struct err *e)
{
	int r = 0;

	p->sink->part = to->part;
	p->held -= to->buf.n;
	if (to->buf.n)
		r = sink_write(p->sink, to->buf.p, to->buf.n, e);
	buf_release(&to->buf);
	to->buf = (struct buf){ 0 };
	return r;
}

static int write_all(struct partitions *p, struct err *e)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (write_part(p, &p->at[i], e))
			return -1;
	return 0;
}

static int encode_rows(struct partitions *p, struct partition *to, const struct batch *part, struct err *e)
{
	size_t before = to->buf.n;

	if (to->enc->def->encode(to->enc, part, &to->buf, e))
		return -1;
	p->held += to->buf.n - before;
	return to->buf.n >= FILE_BYTES ? write_part(p, to, e) : 0;
}

/* The rows by partition: those of touched[i] are the n that end at `at`. */
static void group_rows(struct partitions *p, const struct batch *b, const struct found *f, uint32_t *rows)
{
	uint32_t end = 0;

	for (uint32_t i = 0; i < f->n_touched; i++) {
		p->at[f->touched[i]].at = end;
		end += p->at[f->touched[i]].n;
	}
	for (uint32_t k = 0; k < b->n_sel; k++)
		rows[p->at[f->of[k]].at++] = batch_row(b, k);
}

int partitions_encode(struct partitions *p, const struct batch *b, struct err *e)
{
	uint32_t *rows = arena_array(b->arena, uint32_t, b->n_sel + 1);
	struct found f = { arena_array(b->arena, uint32_t, b->n_sel + 1), arena_array(b->arena, uint32_t, b->n_sel + 1), 0 };
	struct batch out;

	if (!b->n_sel)
		return 0;
	if ((b->schema != p->schema && take_schema(p, b->schema, e)) || find_partitions(p, b, &f, e))
		return -1;
	group_rows(p, b, &f, rows);
	out = rest_of(p, b);
	for (uint32_t i = 0; i < f.n_touched; i++) {
		struct partition *to = &p->at[f.touched[i]];

		out.sel = rows + (to->at - to->n);
		out.n_sel = to->n;
		to->n = 0;
		if (encode_rows(p, to, &out, e))
			return -1;
	}
	return p->held >= ALL_BYTES ? write_all(p, e) : 0;
}

static void close_encoder(struct partition *at, struct encoder *sum)
{
	struct encoder *enc = at->enc;

	if (sum) {
		sum->n_records += enc->n_records;
		sum->n_nan += enc->n_nan;
		sum->n_unseen += enc->n_unseen;
		if (!*sum->unseen)
			memcpy(sum->unseen, enc->unseen, sizeof sum->unseen);
	}
	enc->def->close_out(enc);
	buf_release(&at->buf);
}

static void forget(struct partitions *p, struct encoder *sum)
{
	for (uint32_t i = 0; i < p->n; i++)
		close_encoder(&p->at[i], sum);
	p->n = 0;
	p->held = 0;
	keytab_clear(&p->table);
}

int partitions_end(struct partitions *p, struct encoder *sum, struct err *e)
{
	for (uint32_t i = 0; i < p->n; i++) {
		struct partition *to = &p->at[i];
		size_t before = to->buf.n;

		if (to->enc->def->flush && to->enc->def->flush(to->enc, &to->buf, true, e))
			return -1;
		p->held += to->buf.n - before;
	}
	if (write_all(p, e))
		return -1;
	forget(p, sum);
	return 0;
}

void partitions_unseen(const struct partitions *p, void (*fn)(void *ctx, const char *name), void *ctx)
{
	for (uint32_t i = 0; i < p->n_fields; i++)
		if (!p->seen[i])
			fn(ctx, p->fields[i]);
}

size_t partitions_memory(const struct partitions *p)
{
	return p->held + keytab_memory(&p->table) + p->cap * sizeof *p->at;
}

void partitions_free(struct partitions *p)
{
	if (!p)
		return;
	forget(p, NULL);
	keytab_release(&p->table);
	arena_release(&p->keep);
	buf_release(&p->path);
	free(p->at);
	free(p->rest_cols);
	free(p);
}
