#include "plan/plan.h"

static void put_fields(struct buf *b, const struct field_set *f)
{
	if (f->all) {
		buf_str(b, "all fields");
		return;
	}
	if (!f->n)
		buf_str(b, "no field, only the number of records");
	for (uint32_t i = 0; i < f->n; i++)
		buf_printf(b, "%s%s", i ? ", " : "", f->names[i]);
}

static bool scanned(const struct plan *p, const struct plan_input *in)
{
	return p->n && p->nodes[0]->kind == PLAN_WORDS && !strcmp(in->codec->doc.name, "lines") && p->nodes[0]->expr->kind == N_FIELD;
}

static void put_plan(const struct plan *p, const struct plan_input *in, struct buf *out)
{
	buf_printf(out, "\nplan\n  read    %s: ", in->codec->doc.name);
	if (scanned(p, in))
		buf_str(out, "words, straight from the block");
	else
		put_fields(out, &p->source);
	buf_char(out, '\n');
	for (uint32_t i = 0; i < p->n; i++) {
		const struct plan_node *n = p->nodes[i];

		buf_printf(out, "  %-7s stage %d, %s", plan_kind_name(n->kind), n->stage, n->word);
		if (n->moved)
			buf_str(out, ", earlier than written");
		if (n->kind == PLAN_PARSE) {
			buf_str(out, ": makes ");
			put_fields(out, &n->after);
		}
		buf_char(out, '\n');
	}
	buf_printf(out, "  write   at the end of %s\n", p->closes ? "the input" : "each block of input");
}

static void put_memory(const struct plan *p, struct buf *out)
{
	bool any = false;

	buf_str(out, "\nmemory\n  the blocks in flight, whatever the size of the input");
	for (uint32_t i = 0; i < p->n; i++) {
		if (!p->nodes[i]->keeps)
			continue;
		buf_printf(out, "\n  stage %d, %s: %s", p->nodes[i]->stage, p->nodes[i]->word, p->nodes[i]->keeps);
		any = true;
	}
	buf_str(out, any ? "\n" : "; no stage keeps anything\n");
}

void plan_explain(const struct plan *p, const struct plan_input *in, struct buf *out)
{
	buf_str(out, p->canonical[0] ? p->canonical : "# no stage: records pass\n");
	put_plan(p, in, out);
	put_memory(p, out);
}
