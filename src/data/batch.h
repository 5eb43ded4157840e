/* Batches of columns: the engine's unit of work, some thousand rows of one schema.
 *
 * Memory: everything a batch points to lives at least until the call that received it returns. The maker's arena and
 * input block are reset after that. A batch has one owner and is never shared between threads. Consumers may make a new
 * struct batch over the same columns (another selection, other columns); they never write into a column they received. */
#ifndef STRM_DATA_BATCH_H
#define STRM_DATA_BATCH_H
#include "data/value.h"

/* Field names of the rows, in order. Schemas are interned: equal names are one pointer, for the life of the process's
 * schema table, so a cache keyed by the pointer is enough to bind names once. */
struct schema {
	uint32_t n;
	uint32_t hash;
	const char *const *names; /* NUL-terminated and unique */
	const uint32_t *name_n;
	uint32_t *index; /* open-addressed: slot -> field + 1 */
	uint32_t index_mask;
};

/* Schemas are never forgotten. What records may make of them, in bytes of memory: millions of different sets of field names would fill it all. */
#define SCHEMA_BYTES_MAX ((size_t)128 << 20)
#define SCHEMA_FULL "its set of field names is a new one, and 128 MB of different sets are known already"

/* The schema with these names (bytes, need not be NUL-terminated). Duplicate names must have been resolved by the caller. */
const struct schema *schema_intern(const char *const *names, const uint32_t *name_n, uint32_t n);
/* The same for names that a record brings: NULL when they would be one too many (SCHEMA_FULL). */
const struct schema *schema_of_record(const char *const *names, const uint32_t *name_n, uint32_t n);
/* Ordinal of a field, or -1. */
int schema_find(const struct schema *s, const char *name, size_t n);

/* A column: one type for all rows, or T_ANY. Storage by type:
 *   T_BOOL            bool *b
 *   T_INT T_TIME T_DUR int64_t *i
 *   T_FLOAT           double *f
 *   everything else   struct value *v   (T_STR, T_TEXT, T_NUM, T_REGEX, T_LIST, T_OBJECT, T_ANY, T_NULL)
 * Nulls: in b/i/f storage, the validity bitmap (NULL: all valid; bit set: valid). In v storage a null row has type T_NULL
 * in its value, whatever the column's type, and `valid` is NULL. T_NULL: all rows null; v may be NULL.
 * `constant`: only row 0 is stored and stands for all rows. */
struct column {
	union {
		void *data;
		bool *b;
		int64_t *i;
		double *f;
		struct value *v;
	};
	uint64_t *valid;
	uint8_t type;
	bool constant;
	bool has_null; /* v storage: some row may be null. b/i/f: valid != NULL */
};

static inline bool bit_get(const uint64_t *m, uint32_t i) { return m[i >> 6] >> (i & 63) & 1; }
static inline void bit_set(uint64_t *m, uint32_t i) { m[i >> 6] |= (uint64_t)1 << (i & 63); }
static inline void bit_clear(uint64_t *m, uint32_t i) { m[i >> 6] &= ~((uint64_t)1 << (i & 63)); }
/* 64-bit words of a bitmap of n rows. */
static inline uint32_t bit_words(uint32_t n) { return (n + 63) / 64; }

static inline bool column_is_scalar(enum type t) { return t >= T_BOOL && t <= T_DUR; }
/* The value of one row, whatever the storage. */
static inline struct value column_get(const struct column *c, uint32_t row)
{
	if (c->constant)
		row = 0;
	if (!column_is_scalar(c->type)) {
		if (c->type == T_NULL)
			return v_null();
		return c->v[row];
	}
	if (c->valid && !bit_get(c->valid, row))
		return v_null();
	if (c->type == T_BOOL)
		return v_bool(c->b[row]);
	return (struct value){ .i = c->i[row], .type = c->type };
}
/* Is the row null? */
static inline bool column_null(const struct column *c, uint32_t row)
{
	if (c->constant)
		row = 0;
	if (column_is_scalar(c->type))
		return c->valid && !bit_get(c->valid, row);
	return c->type == T_NULL || c->v[row].type == T_NULL;
}

/* Where rows came from, for error messages. Row i of the batch is record `line[i]` (1-based line in the file for
 * line formats) or line_base + i when line is NULL; line_base 0: unknown. */
struct origin {
	const char *source; /* display name, NULL unknown */
	uint64_t line_base;
	const uint32_t *line; /* offsets from line_base, or NULL */
};

/* Columns that go along with the fields without being of them: what event time knows of a row. They are read as @event, @window_start and so on, and every
 * operator that makes a new batch of old rows takes them along. */
enum hidden {
	HIDDEN_EVENT,        /* T_TIME */
	HIDDEN_WINDOW_START, /* T_TIME */
	HIDDEN_WINDOW_END,
	HIDDEN_PANE,         /* T_INT */
	HIDDEN_PANE_ON_TIME,
	HIDDEN_TIMING,       /* T_STR */
	HIDDEN_FINAL,        /* T_BOOL */
	HIDDEN_TAKES_BACK,   /* T_BOOL: the row takes back an earlier one that is equal in its fields (op_panes.h); not there: none does */
	HIDDEN_COUNT_,
	HIDDEN_SPECIALS_ = HIDDEN_TAKES_BACK, /* those in front are special values */
};

struct batch {
	const struct schema *schema;
	const struct column *cols; /* schema->n of them */
	uint32_t n_rows;           /* rows in the columns */
	uint32_t n_sel;            /* rows that count */
	const uint32_t *sel;       /* their indices, ascending; NULL: all of 0..n_rows-1 (then n_sel == n_rows) */
	const struct value *raw;   /* the whole record as it was read (T_TEXT views, without the line end), or NULL */
	const struct column *hidden[HIDDEN_COUNT_]; /* NULL: not there */
	uint32_t input;            /* number of the input it came from */
	struct origin origin;
	struct arena *arena;       /* memory that lives as long as the batch; consumers may allocate from it */
};

/* Most rows in a batch; decoders and operators cut there. STRM_TEST_BATCH in the environment lowers it (tests). */
#define BATCH_ROWS_MAX 2048
uint32_t batch_rows(void);

/* Row k of the selection. */
static inline uint32_t batch_row(const struct batch *b, uint32_t k) { return b->sel ? b->sel[k] : k; }
/* Loop over the selected rows: BATCH_EACH(b->sel, b->n_sel, i) { ... } */
#define BATCH_EACH(sel, n, i) \
	for (uint32_t k_ = 0, i; k_ < (n) && ((i = (sel) ? (sel)[k_] : k_), 1); k_++)

/* A column of n rows of the type, storage allocated in the arena, not initialised, valid NULL. */
struct column column_make(struct arena *a, enum type t, uint32_t n);
struct column column_const(struct arena *a, const struct value *v);
/* All-valid bitmap of n rows. */
uint64_t *bitmap_make(struct arena *a, uint32_t n);
/* Rows rows[0..n) of a column, gathered into a new one (deep bytes are shared, not copied). */
struct column column_gather(struct arena *a, const struct column *c, const uint32_t *rows, uint32_t n);
/* A column of struct values -> the tightest type: all ints -> T_INT storage and so on; mixed stays T_ANY. `sel` limits what is looked at. */
struct column column_tighten(struct arena *a, struct value *v, const uint32_t *sel, uint32_t n_sel, uint32_t n_rows);
/* Rows [from, from + n) of the selection, as a batch over the same columns; the selection is made in b->arena. */
struct batch batch_slice(const struct batch *b, uint32_t from, uint32_t n);
/* The hidden columns of rows rows[0..n) of src, gathered for dst; memory from dst's arena. */
void batch_gather_hidden(struct batch *dst, const struct batch *src, const uint32_t *rows, uint32_t n);
/* A row as an object (field names shared with the schema). */
struct value batch_record(const struct batch *b, uint32_t row, struct arena *a);

#endif
