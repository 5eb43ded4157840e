/* Keys as bytes: the one encoding behind by, dedup, join and distinct. Two values are the same key iff kind and bytes are equal.
 * Text is its bytes; a number its canonical spelling (so that "5" = 5 and "5.0" is another key than 5), a JSON integer beyond 64 bits its
 * digits (ids of 20 digits stay apart); null, booleans, times,
 * durations, lists and objects have kinds of their own. Several values are framed one after the other (KEY_ROW). */
#ifndef STRM_DATA_ROWKEY_H
#define STRM_DATA_ROWKEY_H
#include "data/batch.h"

enum key_kind { KEY_TEXT, KEY_NULL, KEY_BOOL, KEY_TIME, KEY_DUR, KEY_LIST, KEY_OBJECT, KEY_ROW };

struct key_bytes {
	const char *p;
	uint32_t n;
	uint32_t kind;
};

/* The key of one value; text points at the value's own bytes, everything else into the arena. */
void key_of_value(struct arena *a, const struct value *v, struct key_bytes *out);
/* Keys of the selected rows, out[k] for the k-th row of the selection; several columns make one KEY_ROW each.
 * One text column costs no copy. */
void key_of_columns(struct arena *a, const struct column *const *cols, uint32_t n_cols, const uint32_t *sel, uint32_t n_sel,
		    struct key_bytes *out);

#endif
