#include "config.h"

#include "cli/parallels.h"

#include <strings.h>

#include "cli/entry.h"

/* Of what is ours, behind their name. */
#define OURS_COLUMN 34

static const struct parallel_model *const models[] = { &parallels_dstream, &parallels_structured, &parallels_millwheel,
						       &parallels_beam };

const struct parallel_model *parallel_model_at(unsigned i) { return i < ARRAY_LEN(models) ? models[i] : NULL; }

/* Calls visit for each row of a model. */
static void each_row(const struct parallel_model *m, void (*visit)(void *ctx, const struct parallel_model *m, const struct parallel *x),
		     void *ctx)
{
	for (const struct parallel_part *part = m->parts; part->title; part++)
		for (const struct parallel *x = part->rows; x->theirs; x++)
			visit(ctx, m, x);
}

static void each_row_of_all(void (*visit)(void *ctx, const struct parallel_model *m, const struct parallel *x), void *ctx)
{
	for (size_t i = 0; i < ARRAY_LEN(models); i++)
		each_row(models[i], visit, ctx);
}

static struct doc_example example_of(const struct parallel *x)
{
	return (struct doc_example){ .args = x->args, .in = x->in, .out = x->out };
}

/* ---- lists ---- */

static void list_model(struct page *p, const struct parallel_model *m)
{
	struct buf title = { 0 };

	for (const struct parallel_part *part = m->parts; part->title; part++) {
		title.n = 0;
		buf_printf(&title, "%s: %s", m->title, part->title);
		page_part(p, buf_cstr(&title));
		for (const struct parallel *x = part->rows; x->theirs; x++)
			page_item(p, x->theirs, x->ours ? x->ours : "(not here)", p->margin + OURS_COLUMN);
	}
	buf_release(&title);
}

bool parallels_list(struct page *p, const char *name)
{
	bool all = !strcmp(name, "semantics"), found = false;

	for (size_t i = 0; i < ARRAY_LEN(models); i++) {
		if (!all && strcmp(name, models[i]->name))
			continue;
		list_model(p, models[i]);
		found = true;
	}
	if (found)
		page_text(p, "`strm help NAME` says more of one, as `strm help reduceByKey`; strm-semantics(7) of all, with examples.");
	return found;
}

/* ---- rows ---- */

static void show_row(struct page *p, const struct parallel *x, const char *label)
{
	struct doc_example example = example_of(x);
	struct buf b = { 0 };

	page_entry(p, x->theirs, label);
	if (x->ours)
		buf_printf(&b, "`%s`\n\n", x->ours);
	buf_printf(&b, "%s%s", x->ours ? "" : "Not here. ", x->note);
	page_entry_text(p, buf_cstr(&b));
	b.n = 0;
	if (x->args) {
		example_typed(&b, p, &example);
		if (!p->roff)
			buf_char(&p->b, '\n');
		page_item_code(p, b.p, b.n);
	}
	buf_release(&b);
}

/* Is it one of the names in the list, or what stands before the dot of one? */
static bool is_called(const char *names, const char *name)
{
	size_t n = strlen(name);

	if (!strcasecmp(names, name))
		return true;
	while (names) {
		if (!strncasecmp(names, name, n) && (names[n] == '.' || names[n] == ',' || !names[n]))
			return true;
		names = strstr(names, ", ");
		names = names ? names + 2 : NULL;
	}
	return false;
}

struct search {
	struct page *p;
	const char *name;
	int n;
};

static void show_if_called(void *ctx, const struct parallel_model *m, const struct parallel *x)
{
	struct search *s = ctx;

	if (!is_called(x->theirs, s->name))
		return;
	show_row(s->p, x, m->title);
	s->n++;
}

int parallels_show(struct page *p, const char *name)
{
	struct search s = { .p = p, .name = name };

	each_row_of_all(show_if_called, &s);
	return s.n;
}

static void offer(void *ctx, const struct parallel_model *m, const struct parallel *x)
{
	(void)m;
	nearest_offer(ctx, x->theirs);
}

void parallels_offer(struct nearest *s)
{
	nearest_offer(s, "semantics");
	each_row_of_all(offer, s);
}

/* ---- the manual page ---- */

static void page_of_model(struct page *p, const struct parallel_model *m)
{
	page_heading(p, m->title);
	for (const struct parallel_part *part = m->parts; part->title; part++) {
		page_part(p, part->title);
		for (const struct parallel *x = part->rows; x->theirs; x++)
			show_row(p, x, NULL);
	}
}

void parallels_page(struct page *p)
{
	page_heading(p, "DESCRIPTION");
	page_text(p, "What the transforms, windows, triggers, sources, sinks and operations on state of other stream processors are "
		     "called here: their name, what to write, where the meaning differs, and an example with its input and output. What "
		     "strm does not have stands here too, with the reason and what comes nearest.\n\n"
		     "In the examples a form feed (\\014 in printf) ends a micro-batch, as `--every mark` says, and may move the clock or the "
		     "watermark. `strm help NAME` shows one entry.");
	for (size_t i = 0; i < ARRAY_LEN(models); i++)
		page_of_model(p, models[i]);
}

/* ---- tests ---- */

static void add_example(void *ctx, const struct parallel_model *m, const struct parallel *x)
{
	struct doc_example example = example_of(x);

	if (!x->args)
		return;
	buf_printf(ctx, "%s %s\t", m->name, x->theirs);
	example_line(ctx, &example);
}

void parallels_examples(struct buf *b) { each_row_of_all(add_example, b); }
