#include "stage/canon.h"

void canon_items(struct buf *b, const struct items *items)
{
	for (uint32_t i = 0; i < items->n; i++) {
		if (i)
			buf_str(b, ", ");
		item_print(b, &items->at[i]);
	}
}

void canon_by(struct buf *b, const char *word, const struct items *keys)
{
	if (!keys->n)
		return;
	buf_printf(b, " %s ", word);
	canon_items(b, keys);
}

const char *canon_done(struct arena *a, struct buf *b)
{
	const char *s = arena_str(a, b->p ? b->p : "", b->n);

	buf_release(b);
	return s;
}
