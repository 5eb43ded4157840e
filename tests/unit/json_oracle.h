/* Runs the JSON decoder over a text in chosen ways and writes down what it says, so that the ways can be compared: by the fast
 * path or the slow one (jansson's verdict), with any SIMD level, in any cuts. Used by unit tests and the fuzz target. */
#ifndef STRM_JSON_ORACLE_H
#define STRM_JSON_ORACLE_H
#include <stdlib.h>

#include "base/simd.h"
#include "codec/codec_list.h"
#include "codec/json_decode.h"

struct oracle_way {
	unsigned level; /* enum simd_level */
	bool slow;
	size_t max_record;
	size_t cut;		   /* bytes added at a time, 0: all at once */
	uint32_t seed;		   /* cuts of 1..cut bytes at random */
	const char *const *fields; /* NULL: all */
	uint32_t n_fields;
};

struct oracle_log {
	struct buf rows; /* one line each: line, raw length, the record as JSON */
	struct buf bad;	 /* one line each: line, raw length, reason */
	uint64_t n_rows, n_bad;
	bool types_ok;
};

static inline bool oracle_column_ok(const struct column *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct value v = column_get(c, i);

		if (v.type == T_NULL ? !c->has_null && c->type != T_NULL : c->type != T_ANY && c->type != v.type)
			return false;
	}
	return true;
}

static inline int oracle_emit(void *ctx, struct batch *b, struct err *e)
{
	struct oracle_log *log = ctx;

	(void)e;
	for (uint32_t i = 0; i < b->schema->n; i++)
		log->types_ok &= oracle_column_ok(&b->cols[i], b->n_rows);
	for (uint32_t i = 0; i < b->n_rows; i++) {
		struct value v = batch_record(b, i, b->arena);
		uint64_t line = b->origin.line_base + (b->origin.line ? b->origin.line[i] : i);

		buf_printf(&log->rows, "%llu:%u:", (unsigned long long)line, b->raw[i].n);
		value_print_json(&log->rows, &v, NULL);
		buf_char(&log->rows, '\n');
	}
	log->n_rows += b->n_rows;
	return 0;
}

static inline int oracle_bad(void *ctx, const char *raw, size_t n, uint64_t line, const char *reason, struct err *e)
{
	struct oracle_log *log = ctx;

	(void)e;
	buf_printf(&log->bad, "%llu:%zu:", (unsigned long long)line, n);
	buf_add(&log->bad, raw, n);
	buf_char(&log->bad, ':');
	buf_str(&log->bad, reason);
	buf_char(&log->bad, '\n');
	log->n_bad++;
	return 0;
}

/* A block of exactly n bytes and the slack, which holds what would mislead a reader that looks at it. */
static inline char *oracle_block(const char *p, size_t n)
{
	static const char past[] = "\"}]},:0123456789\\ud800\\u0020\xC3\xE2\x82\xF0\x9F\x98,\"a\":[{\"b\":\"]}\n\x80\xBF";
	char *block = malloc(n + MEM_SLACK);

	if (!block)
		abort();
	if (n)
		memcpy(block, p, n);
	memset(block + n, '7', MEM_SLACK);
	memcpy(block + n, past, sizeof past - 1 < MEM_SLACK ? sizeof past - 1 : MEM_SLACK);
	return block;
}

static inline size_t oracle_next(const struct oracle_way *w, uint32_t *seed)
{
	if (!w->seed)
		return w->cut;
	*seed = *seed * 1664525 + 1013904223;
	return 1 + (*seed >> 8) % w->cut;
}

/* False when the decoder breaks its contract (an error, no progress at the end). */
static inline bool oracle_run(const struct oracle_way *w, const char *p, size_t n, struct oracle_log *log)
{
	struct decode_opts o = { .all = !w->fields, .fields = w->fields, .n_fields = w->n_fields, .raw = true, .source = "test" };
	struct decode_to to = { .emit = oracle_emit, .bad = oracle_bad, .ctx = log };
	struct err e = { .kind = ERR_NONE };
	struct decoder *d;
	size_t pos = 0, have = 0;
	uint32_t seed = w->seed;
	bool ok = true;

	o.max_record = w->max_record;
	*log = (struct oracle_log){ .types_ok = true };
	d = json_codec.open(&o, &e);
	((struct json_decoder *)d)->level = w->level;
	((struct json_decoder *)d)->slow_only = w->slow;
	do {
		size_t more = w->cut ? oracle_next(w, &seed) : n, used = 0;
		char *block;
		bool final;

		have = have + more < n - pos ? have + more : n - pos;
		final = pos + have == n;
		block = oracle_block(p + pos, have);
		ok = !json_codec.decode(d, block, have, final, &to, &used, &e) && used <= have && (!final || used == have);
		free(block);
		pos += used;
		have -= used;
	} while (ok && pos + have < n);
	/* the end may be told twice */
	if (ok) {
		char *block = oracle_block("", 0);
		size_t used = 0;

		ok = !json_codec.decode(d, block, 0, true, &to, &used, &e);
		free(block);
	}
	ok &= d->n_records == log->n_rows && d->n_bad == log->n_bad && log->types_ok;
	json_codec.close(d);
	return ok;
}

static inline void oracle_free(struct oracle_log *log)
{
	buf_release(&log->rows);
	buf_release(&log->bad);
}

static inline bool oracle_same(const struct buf *a, const struct buf *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->p, b->p, a->n));
}

/* Does decoding in this way say the same as `want`? */
static inline bool oracle_agrees(const struct oracle_way *w, const char *p, size_t n, const struct oracle_log *want)
{
	struct oracle_log got;
	bool ok = oracle_run(w, p, n, &got) && oracle_same(&got.rows, &want->rows) && oracle_same(&got.bad, &want->bad);

	oracle_free(&got);
	return ok;
}

#endif
