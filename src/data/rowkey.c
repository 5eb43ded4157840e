#include "data/rowkey.h"

#include <math.h>

static void key_bytes_add(struct buf *b, uint32_t kind, const char *p, size_t n)
{
	uint32_t head[2] = { kind, (uint32_t)n };

	buf_add(b, head, sizeof head);
	buf_add(b, p, n);
}

static void key_nested(struct buf *b, const struct value *v)
{
	struct arena tmp = { 0 };
	struct key_bytes k;

	key_of_value(&tmp, v, &k);
	key_bytes_add(b, k.kind, k.p, k.n);
	arena_release(&tmp);
}

static void key_set(struct key_bytes *out, uint32_t kind, const char *p, size_t n)
{
	*out = (struct key_bytes){ .p = p, .n = (uint32_t)n, .kind = kind };
}

/* A JSON spelling that is its own canonical spelling: an integer without "-0". */
static bool is_plain_integer(const char *p, uint32_t n)
{
	uint32_t i = n && p[0] == '-';

	if (i == n || (p[i] == '0' && (n > i + 1 || i)))
		return false;
	for (; i < n; i++)
		if ((unsigned char)(p[i] - '0') > 9)
			return false;
	return true;
}

static void key_of_double(struct arena *a, double f, struct key_bytes *out)
{
	char *d = arena_bytes(a, NUM_MAX);
	int64_t i;

	if (num_double_to_int(f, &i))
		key_set(out, KEY_TEXT, d, num_format_int(i, d)); /* -0 is 0 */
	else
		key_set(out, KEY_TEXT, d, num_format_double(isnan(f) ? (double)NAN : f, d));
}

static void key_of_number(struct arena *a, const struct value *v, struct key_bytes *out)
{
	struct num n;

	if (is_plain_integer(v->s, v->n)) {
		key_set(out, KEY_TEXT, v->s, v->n);
	} else if (num_parse(v->s, v->n, &n) == NUM_INT) {
		char *d = arena_bytes(a, NUM_MAX);

		key_set(out, KEY_TEXT, d, num_format_int(n.i, d));
	} else {
		key_of_double(a, n.f, out);
	}
}

static void key_of_nested(struct arena *a, const struct value *v, struct key_bytes *out)
{
	struct buf b = { 0 };

	for (uint32_t i = 0; i < v->n; i++) {
		if (v->type == T_OBJECT)
			key_bytes_add(&b, KEY_TEXT, v->fields[i].name, v->fields[i].name_n);
		key_nested(&b, v->type == T_OBJECT ? &v->fields[i].v : &v->items[i]);
	}
	key_set(out, v->type == T_OBJECT ? KEY_OBJECT : KEY_LIST, arena_copy(a, b.p, b.n), b.n);
	buf_release(&b);
}

void key_of_value(struct arena *a, const struct value *v, struct key_bytes *out)
{
	char *d;

	switch (v->type) {
	case T_NULL:
		key_set(out, KEY_NULL, "", 0);
		break;
	case T_BOOL:
		key_set(out, KEY_BOOL, v->b ? "1" : "0", 1);
		break;
	case T_INT:
		d = arena_bytes(a, NUM_MAX);
		key_set(out, KEY_TEXT, d, num_format_int(v->i, d));
		break;
	case T_FLOAT:
		key_of_double(a, v->f, out);
		break;
	case T_NUM:
		key_of_number(a, v, out);
		break;
	case T_TIME:
	case T_DUR:
		d = arena_bytes(a, NUM_MAX);
		key_set(out, v->type == T_TIME ? KEY_TIME : KEY_DUR, d, num_format_int(v->i, d));
		break;
	case T_LIST:
	case T_OBJECT:
		key_of_nested(a, v, out);
		break;
	default:
		key_set(out, KEY_TEXT, v->s, v->n);
	}
}

static void key_of_text_column(const struct column *c, const uint32_t *sel, uint32_t n_sel, struct arena *a, struct key_bytes *out)
{
	BATCH_EACH(sel, n_sel, i)
	{
		const struct value *v = &c->v[i];

		if (likely(v->type == T_TEXT || v->type == T_STR))
			out[k_] = (struct key_bytes){ .p = v->s, .n = v->n, .kind = KEY_TEXT };
		else
			key_of_value(a, v, &out[k_]);
	}
}

static void key_of_column(struct arena *a, const struct column *c, const uint32_t *sel, uint32_t n_sel, struct key_bytes *out)
{
	struct value v;

	if (!c->constant && !column_is_scalar(c->type) && c->type != T_NULL) {
		key_of_text_column(c, sel, n_sel, a, out);
		return;
	}
	BATCH_EACH(sel, n_sel, i)
	{
		v = column_get(c, i);
		key_of_value(a, &v, &out[k_]);
	}
}

void key_of_columns(struct arena *a, const struct column *const *cols, uint32_t n_cols, const uint32_t *sel, uint32_t n_sel,
		    struct key_bytes *out)
{
	struct key_bytes *parts;

	if (n_cols == 1) {
		key_of_column(a, cols[0], sel, n_sel, out);
		return;
	}
	parts = arena_array(a, struct key_bytes, (size_t)n_cols * n_sel + 1);
	for (uint32_t c = 0; c < n_cols; c++)
		key_of_column(a, cols[c], sel, n_sel, parts + (size_t)c * n_sel);
	for (uint32_t k = 0; k < n_sel; k++) {
		size_t n = 0;
		char *d;

		for (uint32_t c = 0; c < n_cols; c++)
			n += 8 + parts[(size_t)c * n_sel + k].n;
		d = arena_bytes(a, n);
		key_set(&out[k], KEY_ROW, d, n);
		for (uint32_t c = 0; c < n_cols; c++) {
			const struct key_bytes *part = &parts[(size_t)c * n_sel + k];

			memcpy(d, &part->kind, 4);
			memcpy(d + 4, &part->n, 4);
			memcpy(d + 8, part->p, part->n);
			d += 8 + part->n;
		}
	}
}
