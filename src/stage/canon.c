#include "stage/canon.h"

static void canon_item(struct buf *b, const struct item *it)
{
	const char *last = NULL;

	if (!it->expr) {
		buf_char(b, '*');
		return;
	}
	if (!node_path(it->expr, NULL, &last) || strcmp(last, it->name)) {
		name_print(b, it->name);
		buf_str(b, " = ");
	}
	node_print(b, it->expr);
}

void canon_items(struct buf *b, const struct items *items)
{
	for (uint32_t i = 0; i < items->n; i++) {
		if (i)
			buf_str(b, ", ");
		canon_item(b, &items->at[i]);
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
