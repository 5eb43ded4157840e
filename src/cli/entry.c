#include "cli/entry.h"

#include <stdlib.h>

#include "base/utf8.h"

#define PARAM_COLUMN 22
#define RESULT_COLUMN 40

/* ---- examples ---- */

/* Text in single quotes of the shell. */
static void shell_quote(struct buf *b, const char *s)
{
	buf_char(b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_str(b, "'\\''");
		else
			buf_char(b, *s);
	}
	buf_char(b, '\'');
}

static void quoted_stage(struct buf *b, const char *stage, const char *expr)
{
	char *s = xmalloc(strlen(stage) + strlen(expr) + 1);

	strcpy(stpcpy(s, stage), expr);
	buf_char(b, ' ');
	shell_quote(b, s);
	free(s);
}

void example_command(struct buf *b, const struct kind *k, const struct doc_example *x)
{
	switch (k->form) {
	case EXAMPLE_COMMAND:
		buf_printf(b, "strm %s", x->args);
		break;
	case EXAMPLE_FUNCTION:
		buf_str(b, "strm -n -o json");
		quoted_stage(b, "map v = ", x->args);
		break;
	case EXAMPLE_AGGREGATE:
		buf_str(b, "strm -o json 'map x = line'");
		quoted_stage(b, "reduce v = ", x->args);
		break;
	}
}

void example_output(struct buf *b, const struct kind *k, const struct doc_example *x)
{
	if (k->form == EXAMPLE_COMMAND)
		buf_str(b, x->out);
	else
		buf_printf(b, "{\"v\":%s}\n", x->out);
}

/* A field of the list of examples. */
static void put_escaped(struct buf *b, const char *s, char end)
{
	for (; *s; s++) {
		if (*s == '\\')
			buf_str(b, "\\\\");
		else if (*s == '\n')
			buf_str(b, "\\n");
		else if (*s == '\t')
			buf_str(b, "\\t");
		else
			buf_char(b, *s);
	}
	buf_char(b, end);
}

static void list_example(struct buf *b, const struct kind *k, const struct doc_example *x)
{
	struct buf field = { 0 };

	example_command(&field, k, x);
	put_escaped(b, buf_cstr(&field), '\t');
	put_escaped(b, x->in ? x->in : "", '\t');
	field.n = 0;
	example_output(&field, k, x);
	put_escaped(b, buf_cstr(&field), '\n');
	buf_release(&field);
}

void example_line(struct buf *b, const struct doc_example *x)
{
	static const struct kind command = { .form = EXAMPLE_COMMAND };

	list_example(b, &command, x);
}

void examples_list(struct buf *b)
{
	const struct kind *k;
	const struct doc *d;

	for (unsigned n = 0; (k = kind_at(n)); n++) {
		for (unsigned i = 0; (d = k->at(i)); i++) {
			for (int j = 0; j < DOC_EXAMPLES_MAX && d->examples[j].args; j++) {
				buf_printf(b, "%s %s %d\t", k->name, d->name, j + 1);
				list_example(b, k, &d->examples[j]);
			}
		}
	}
}

/* ---- examples to read ---- */

/* Can it stand in a here-document? */
static bool is_lines(const char *s)
{
	size_t n = strlen(s);

	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\n' && *c != '\t')
			return false;
	return n && s[n - 1] == '\n';
}

/* One command, so that a here-document behind it is its input? */
static bool is_one_command(const char *args)
{
	for (char quote = 0; *args; args++) {
		if (quote ? *args == quote : *args == '\'' || *args == '"')
			quote = quote ? 0 : *args;
		else if (!quote && strchr("&|;", *args))
			return false;
	}
	return true;
}

/* printf 'a b\n' | */
static void put_printf(struct buf *b, const char *in)
{
	buf_str(b, "printf '");
	for (const unsigned char *c = (const unsigned char *)in; *c; c++) {
		if (*c == '\n')
			buf_str(b, "\\n");
		else if (*c == '\t')
			buf_str(b, "\\t");
		else if (*c < ' ' || *c == 0x7f)
			buf_printf(b, "\\%03o", *c);
		else if (*c == '\'')
			buf_str(b, "'\\''");
		else if (*c == '\\' || *c == '%')
			buf_printf(b, "%c%c", *c, *c);
		else
			buf_char(b, (char)*c);
	}
	buf_str(b, "' | ");
}

static void put_typed(struct buf *b, const struct page *p, const struct doc_example *x)
{
	struct buf line = { 0 };

	buf_str(&line, "$ ");
	if (x->in && *x->in)
		put_printf(&line, x->in);
	buf_printf(&line, "strm %s\n", x->args);
	if (utf8_width(line.p, line.n) + 8 > (p->roff ? 76 : p->width) && x->in && is_lines(x->in) && is_one_command(x->args))
		buf_printf(b, "$ strm %s <<'END'\n%sEND\n", x->args, x->in);
	else
		buf_add(b, line.p, line.n);
	buf_release(&line);
}

void example_typed(struct buf *b, const struct page *p, const struct doc_example *x)
{
	put_typed(b, p, x);
	buf_str(b, x->out);
}

void example_note(struct buf *b, const struct doc_example *x) { buf_printf(b, "%s:", x->note ? x->note : "Example"); }

static void show_commands(struct page *p, const struct doc *d)
{
	struct buf b = { 0 };

	for (int i = 0; i < DOC_EXAMPLES_MAX && d->examples[i].args; i++) {
		b.n = 0;
		example_note(&b, &d->examples[i]);
		page_item_text(p, buf_cstr(&b));
		b.n = 0;
		example_typed(&b, p, &d->examples[i]);
		page_item_code(p, b.p, b.n);
	}
	buf_release(&b);
}

static void pad_to(struct buf *b, size_t from, unsigned column)
{
	buf_str(b, "  ");
	for (size_t w = utf8_width(b->p + from, b->n - from); w < column; w++)
		buf_char(b, ' ');
}

/* "median(x)  x: 1 2 3" */
static void put_input(struct buf *b, const char *in)
{
	buf_str(b, "  x: ");
	for (; in && *in; in++) {
		if (*in != '\n')
			buf_char(b, *in);
		else if (in[1])
			buf_str(b, ", ");
	}
}

/* Expressions and their values, a line each. */
static void show_values(struct page *p, const struct kind *k, const struct doc *d)
{
	struct buf b = { 0 };

	for (int i = 0; i < DOC_EXAMPLES_MAX && d->examples[i].args; i++) {
		const struct doc_example *x = &d->examples[i];
		size_t from = b.n;

		buf_str(&b, x->args);
		if (k->form == EXAMPLE_AGGREGATE)
			put_input(&b, x->in);
		pad_to(&b, from, RESULT_COLUMN);
		buf_printf(&b, "%s\n", x->out);
	}
	if (b.n && !p->roff)
		buf_char(&p->b, '\n');
	if (b.n)
		page_item_code(p, b.p, b.n);
	buf_release(&b);
}

/* ---- entries ---- */

/* "how many (int, 1..2^31)" */
static void put_param(struct buf *b, const struct doc_param *x)
{
	buf_str(b, x->help ? x->help : "");
	if (!x->type)
		return;
	buf_printf(b, "%s(%s", x->help ? " " : "", x->type);
	if (x->range)
		buf_printf(b, ", %s", x->range);
	if (x->dflt)
		buf_printf(b, "; default: %s", x->dflt);
	buf_char(b, ')');
}

static void show_params(struct page *p, const struct doc *d)
{
	struct buf b = { 0 };

	if (d->params[0].name)
		page_params_begin(p);
	for (int i = 0; i < DOC_PARAMS_MAX && d->params[i].name; i++) {
		b.n = 0;
		put_param(&b, &d->params[i]);
		page_item(p, d->params[i].name, buf_cstr(&b), PARAM_COLUMN);
	}
	if (d->params[0].name)
		page_params_end(p);
	buf_release(&b);
}

static void show_aliases(struct page *p, const char *aliases)
{
	struct buf b = { 0 };

	if (!aliases)
		return;
	buf_str(&b, "Also called ");
	for (; *aliases; aliases++) {
		if (*aliases == ' ')
			buf_str(&b, ", ");
		else
			buf_char(&b, *aliases);
	}
	buf_char(&b, '.');
	page_item_text(p, buf_cstr(&b));
	buf_release(&b);
}

void entry_show(struct page *p, const struct kind *k, const struct doc *d, const char *label)
{
	page_entry(p, d->synopsis ? d->synopsis : d->name, label);
	page_entry_text(p, d->summary);
	show_aliases(p, d->aliases);
	if (d->text)
		page_item_text(p, d->text);
	show_params(p, d);
	if (k->form == EXAMPLE_COMMAND)
		show_commands(p, d);
	else
		show_values(p, k, d);
}
