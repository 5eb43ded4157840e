/* Inside the JSON decoder: the decoder's own state, and what its files do for each other.
 *
 *   json_decode.c   the stream of values: fast path first, what it does not like to the slow path
 *   json_rows.c     records to rows to batches
 *   json_plan.c     which fields are wanted, as a tree of keys
 *   json_slow.c     one value by jansson's verdict; where to go on after one that is none */
#ifndef STRM_CODEC_JSON_DECODE_H
#define STRM_CODEC_JSON_DECODE_H
#include "codec/codec.h"
#include "codec/json_walk.h"

#define JSON_VALUE_FIELD "value" /* the field of a record that is not an object */

/* A wanted key. `exact` and `path` are columns or -1: the field of that very name, and the last step of a path. */
struct json_wanted {
	const char *name;
	uint32_t n;
	int exact, path;
	struct json_node *sub; /* wanted keys of the object behind it */
};

/* The wanted keys of one object, by length: those of n bytes are keys[first[n]] up to keys[first[n + 1]]. Longer ones are in the
 * last class. */
#define JSON_LENGTHS 48
struct json_node {
	struct json_wanted *keys;
	uint32_t n, cap;
	uint32_t first[JSON_LENGTHS + 1];
	uint64_t seen; /* the record in which this object was last met */
};

static inline const struct json_wanted *json_wanted_find(const struct json_node *node, const char *name, uint32_t n)
{
	uint32_t class = n < JSON_LENGTHS ? n : JSON_LENGTHS - 1;

	for (uint32_t i = node->first[class]; i < node->first[class + 1]; i++)
		if (node->keys[i].n == n && !memcmp(node->keys[i].name, name, n))
			return &node->keys[i];
	return NULL;
}

/* The tree for fields[0..n). */
struct json_node *json_plan(struct arena *a, const char *const *fields, uint32_t n);

/* Rows under construction. Cells are column by column, `stride` to a column. */
struct json_rows {
	const struct schema *schema; /* NULL: no record yet (all fields) */
	struct column *cols;
	struct value *cells, *raw;
	size_t cols_cap, cells_cap;
	uint32_t stride, n;
	uint32_t *line;
	uint64_t line_base;
	bool lines_run; /* one line after the other so far */
	struct arena spare;
	struct field *fields; /* of a record whose shape is new */
	size_t fields_cap;
	uint64_t *exact; /* per column: the record whose exact field it holds */
	uint64_t record;
};

/* Where a bad record ends: what is known of the bytes gone over so far. */
struct json_skip {
	int64_t depth;
	uint64_t column, column_max; /* blanks since the line began; of the record's start */
	bool in_string, escaped, closed, line_start, in_array;
};

enum json_top { JSON_TOP, JSON_ELEMENT, JSON_COMMA };

struct json_decoder {
	struct decoder base;
	struct json_walk walk;
	struct json_rows rows;
	struct json_node *plan;
	enum json_top top; /* in a top-level array: what comes next */
	bool loose;	   /* something was wrong with this array: commas may be missing */
	bool begun;	   /* a byte order mark is behind us */
	bool skipping;	   /* in a record that is too long */
	struct json_skip skip;
	uint64_t column; /* bytes of its line before the block */
	size_t chunk;	 /* bytes scanned at a time */
	size_t max_record;
	unsigned level;
	bool slow_only; /* tests: all by the slow path */
	/* of the call */
	const char *p;
	size_t n, pos;
	bool final;
	const struct decode_to *to;
	struct err *err;
	int verdict; /* 0, or what decode returns: 1 stop, -1 error */
};

void json_rows_init(struct json_decoder *d);
void json_rows_release(struct json_rows *r);
/* A record by the fast path: the value at token k becomes a row. As json_walk.h. */
uint32_t json_row(struct json_decoder *d, uint32_t k);
/* A record by the slow path: the n bytes at d->pos. -1 with *why when they are not one JSON text. */
int json_row_slow(struct json_decoder *d, size_t n, const char **why);
/* Hand the rows over. Sets d->verdict. */
void json_rows_flush(struct json_decoder *d);

/* One step of the slow path at d->pos: a value, a mark of a top-level array, or white space. `wrong`: it is known not to be JSON.
 * False when more text is needed. */
bool json_slow(struct json_decoder *d, bool wrong);
/* Go on skipping a record that is too long. */
void json_skip_more(struct json_decoder *d);
/* Report a bad record of n bytes at the line d->base.line. Sets d->verdict. */
void json_bad(struct json_decoder *d, const char *raw, size_t n, const char *reason);

#endif
