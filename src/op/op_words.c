#include "op/op_words.h"

struct words {
	struct op op;
	struct expr *text;                /* NULL: scanned */
	const struct word_counts *counts;
	const struct schema *schema;
	struct value *out;
	uint32_t *rows; /* whose words they are */
	uint32_t n, cap;
};

static const struct schema *words_schema(void)
{
	const char *name = "word";
	uint32_t n = 4;

	return schema_intern(&name, &n, 1);
}

static int flush(struct words *w, const struct batch *from, struct err *e)
{
	struct column col = { .type = T_TEXT, .v = w->out };
	struct batch b = { .schema = w->schema, .cols = &col, .n_rows = w->n, .n_sel = w->n, .input = from->input, .arena = from->arena };

	b.origin.source = from->origin.source;
	batch_gather_hidden(&b, from, w->rows, w->n);
	w->n = 0;
	return op_push(&w->op, &b, e);
}

static bool is_space(char c)
{
	return c == ' ' || (unsigned char)(c - 9) < 5;
}

/* *found: the text has a word. */
static int split(struct words *w, const struct batch *b, uint32_t row, const struct value *v, bool *found, struct err *e)
{
	const char *p = v->s, *end = p + v->n;

	*found = false;
	for (;;) {
		const char *start;

		while (p < end && is_space(*p))
			p++;
		if (p == end)
			return 0;
		for (start = p; p < end && !is_space(*p);)
			p++;
		*found = true;
		w->rows[w->n] = row;
		w->out[w->n++] = v_text(start, (size_t)(p - start));
		if (w->n == w->cap) {
			int verdict = flush(w, b, e);

			if (verdict)
				return verdict;
		}
	}
}

static int split_row(struct words *w, const struct batch *b, uint32_t row, const struct column *text, struct err *e)
{
	struct value v = column_get(text, row);
	const char *p;
	size_t n;
	bool found = false;
	int verdict = 0;

	if (v.type == T_LIST || v.type == T_OBJECT) {
		fails_add(&w->op.fails, "words", "not text", &b->origin, row);
	} else if (v.type != T_NULL) {
		if (!type_is_bytes(v.type)) {
			struct buf t = { 0 };

			value_print(&t, &v, w->op.eval.env->format);
			p = arena_copy(b->arena, t.p, n = t.n);
			buf_release(&t);
			v = v_text(p, n);
		}
		verdict = split(w, b, row, &v, &found, e);
	}
	w->op.count[found ? 0 : 1]++;
	return verdict;
}

static int words_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	struct words *w = (struct words *)op;
	struct column text;
	int verdict = 0;

	(void)port;
	text = expr_eval(w->text, &op->eval, b, b->sel, b->n_sel);
	w->cap = batch_rows();
	w->out = arena_array(b->arena, struct value, w->cap);
	w->rows = arena_array(b->arena, uint32_t, w->cap);
	for (uint32_t k = 0; k < b->n_sel && !verdict; k++) {
		verdict = split_row(w, b, batch_row(b, k), &text, e);
		if (verdict)
			op->unwanted += b->n_sel - k - 1;
	}
	if (verdict)
		w->n = 0;
	return verdict || !w->n ? verdict : flush(w, b, e);
}

static void words_free(struct op *op)
{
	expr_release(((struct words *)op)->text);
}

static void words_unseen(const struct op *op, void (*fn)(void *ctx, const char *name), void *ctx)
{
	expr_unseen(((const struct words *)op)->text, fn, ctx);
}

static const struct op_class words_class = {
	.name = "words",
	.makes_fields = true,
	.counters = { "expanded", "empty" },
	.process = words_process,
	.free = words_free,
	.unseen = words_unseen,
};

static int scanned_process(struct op *op, int port, const struct batch *b, struct err *e)
{
	(void)port;
	return op_push(op, b, e);
}

/* The lines are known to the scanner only. */
static int scanned_batch_end(struct op *op, struct err *e)
{
	const struct word_counts *c = ((struct words *)op)->counts;

	(void)e;
	op->in = c->lines;
	op->count[1] = c->empty;
	op->count[0] = op->in - op->count[1];
	return 0;
}

static const struct op_class scanned_class = {
	.name = "words",
	.makes_fields = true,
	.counters = { "expanded", "empty" },
	.process = scanned_process,
	.on_batch_end = scanned_batch_end,
};

struct op *op_words(struct run *run, int stage, const char *word, struct expr *text_take)
{
	struct words *w = op_make(&words_class, sizeof *w, run, stage, word);

	w->text = text_take;
	w->schema = words_schema();
	return &w->op;
}

struct op *op_words_scanned(struct run *run, int stage, const char *word, const struct word_counts *counts)
{
	struct words *w = op_make(&scanned_class, sizeof *w, run, stage, word);

	w->counts = counts;
	return &w->op;
}
