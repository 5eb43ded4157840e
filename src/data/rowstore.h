/* Rows kept beyond their batch: deep copies with their schema, for sort, top, sample and the like. Rows have numbers 0, 1, 2 ... in the
 * order they were added; memory of dropped rows comes back when the store compacts (more than half of it dead). */
#ifndef STRM_DATA_ROWSTORE_H
#define STRM_DATA_ROWSTORE_H
#include "data/batch.h"

struct kept_row {
	const struct schema *schema;
	struct value *v;      /* schema->n values, then `extra` more (sort keys), then its hidden columns */
	struct value raw;     /* T_NULL: none */
	uint32_t n;           /* values in v */
	uint32_t hidden;      /* bit i: enum hidden i is among them */
	size_t bytes;         /* of its deep copy */
};

struct rowstore {
	struct kept_row *rows;
	size_t n, cap;
	struct arena arena;
	size_t live, dead; /* bytes */
};

void rowstore_release(struct rowstore *s);
void rowstore_clear(struct rowstore *s);
/* Copy row `row` of b with n_extra values behind its fields; returns its number. */
size_t rowstore_add(struct rowstore *s, const struct batch *b, uint32_t row, const struct value *extra, uint32_t n_extra);
/* The value of a hidden column of a kept row, null where it has none. */
struct value rowstore_hidden(const struct rowstore *s, size_t at, enum hidden which);
/* Replace kept row `at` (it keeps its number). */
void rowstore_replace(struct rowstore *s, size_t at, const struct batch *b, uint32_t row, const struct value *extra, uint32_t n_extra);
size_t rowstore_memory(const struct rowstore *s);
/* The batch of rows order[from..), of one schema and at most batch_rows(): memory from the arena, which it also carries. Returns how many rows it took. */
size_t rowstore_batch(const struct rowstore *s, const size_t *order, size_t from, size_t n, struct arena *a, struct batch *out);

/* Field names as bytes, and back: 0, or -1 when malformed. */
void schema_save(const struct schema *s, struct buf *out);
int schema_load(const char **p, const char *end, const struct schema **schema);
/* A row as bytes, appended: its field names, values, hidden columns and record. */
void kept_row_save(const struct kept_row *r, struct buf *out);
/* Reads from *p, up to end, into the arena. 0, or -1 when malformed. */
int kept_row_load(const char **p, const char *end, struct arena *a, struct kept_row *r);
void rowstore_save_row(const struct rowstore *s, size_t at, struct buf *out);
/* As the next row of the store. 0, or -1 when malformed. */
int rowstore_load_row(struct rowstore *s, const char **p, const char *end);

#endif
