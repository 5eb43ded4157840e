#include "config.h"

#include "cli/page.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/utf8.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MIN 40
#define WIDTH_MAX 100

#define BOLD "\033[1m"
#define PLAIN "\033[0m"

void page_init(struct page *p, FILE *out)
{
	struct winsize w;

	*p = (struct page){ .width = WIDTH_DEFAULT, .margin = 4 };
	if (!isatty(fileno(out)))
		return;
	p->bold = true;
	if (ioctl(fileno(out), TIOCGWINSZ, &w) || !w.ws_col)
		return;
	p->width = w.ws_col < WIDTH_MIN ? WIDTH_MIN : w.ws_col > WIDTH_MAX ? WIDTH_MAX : w.ws_col;
}

int page_put(struct page *p, FILE *out) { return (!p->b.n || fwrite(p->b.p, 1, p->b.n, out) == p->b.n) && !fflush(out) ? 0 : -1; }

void page_release(struct page *p) { buf_release(&p->b); }

/* ---- roff ---- */

/* Characters that roff would take for something else. */
static const struct {
	uint32_t cp;
	const char *roff;
} roff_names[] = {
	{ '\\', "\\e" },  { '\'', "\\(aq" }, { '`', "\\(ga" },	  { '^', "\\(ha" },
	{ '~', "\\(ti" }, { '"', "\\(dq" },  { 0x2192, "\\(->" },
};

/* One character of text; `code`: it is to be typed, so a dash stays what it is. */
static void roff_char(struct buf *b, uint32_t cp, bool code)
{
	for (size_t i = 0; i < ARRAY_LEN(roff_names); i++) {
		if (roff_names[i].cp == cp) {
			buf_str(b, roff_names[i].roff);
			return;
		}
	}
	if (cp == '-' && code)
		buf_str(b, "\\-");
	else if (cp < 0x80)
		buf_char(b, (char)cp);
	else
		buf_printf(b, "\\[u%04X]", (unsigned)cp);
}

/* A dash between letters is a hyphen, any other is to be typed. */
static bool is_hyphen(const char *p, size_t i, size_t n)
{
	return i && i + 1 < n && p[i - 1] > ' ' && p[i - 1] != '-' && p[i - 1] != '`' && p[i + 1] > ' ' && p[i + 1] != '-';
}

static void roff_line(struct buf *b, const char *p, size_t n, bool code)
{
	uint32_t cp;

	if (n && (*p == '.' || *p == '\''))
		buf_str(b, "\\&");
	for (size_t i = 0; i < n;) {
		unsigned w = utf8_decode(p + i, n - i, &cp);

		roff_char(b, cp, code || !is_hyphen(p, i, n));
		i += w;
	}
}

/* Prose: `code` is bold. */
static void roff_prose(struct buf *b, const char *p, size_t n)
{
	const char *end = p + n;

	if (n && (*p == '.' || *p == '\'' || *p == '`'))
		buf_str(b, "\\&");
	while (p < end) {
		const char *open = memchr(p, '`', (size_t)(end - p));
		const char *close = open ? memchr(open + 1, '`', (size_t)(end - open - 1)) : NULL;

		if (!close)
			open = end;
		roff_line(b, p, (size_t)(open - p), false);
		if (!close)
			break;
		buf_str(b, "\\fB");
		roff_line(b, open + 1, (size_t)(close - open - 1), true);
		buf_str(b, "\\fR");
		p = close + 1;
	}
	buf_char(b, '\n');
}

static void roff_macro(struct buf *b, const char *macro, const char *arg)
{
	buf_printf(b, "%s \"", macro);
	roff_line(b, arg, strlen(arg), true);
	buf_str(b, "\"\n");
}

static void roff_code(struct buf *b, const char *p, size_t n)
{
	const char *end = p + n;

	buf_str(b, ".RS 4\n.EX\n");
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (!nl)
			nl = end;
		roff_line(b, p, (size_t)(nl - p), true);
		buf_char(b, '\n');
		p = nl + 1;
	}
	buf_str(b, ".EE\n.RE\n");
}

/* ---- terminal ---- */

static void pad(struct buf *b, unsigned n)
{
	while (n--)
		buf_char(b, ' ');
}

void page_wrap(struct page *p, const char *text, unsigned from, unsigned at)
{
	size_t column = from;

	while (*text) {
		size_t n = strcspn(text, " \n"), w = utf8_width(text, n);

		if (column > at && column + 1 + w > p->width) {
			buf_char(&p->b, '\n');
			pad(&p->b, at);
			column = at;
		} else if (column > at) {
			buf_char(&p->b, ' ');
			column++;
		}
		buf_add(&p->b, text, n);
		column += w;
		text += n;
		text += strspn(text, " \n");
	}
	buf_char(&p->b, '\n');
}

static void indent_code(struct page *p, const char *text, size_t n, unsigned at)
{
	const char *end = text + n;

	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));

		if (!nl)
			nl = end;
		if (nl > text)
			pad(&p->b, at);
		buf_add(&p->b, text, (size_t)(nl - text));
		buf_char(&p->b, '\n');
		text = nl + 1;
	}
}

static void put_bold(struct page *p, const char *text)
{
	buf_printf(&p->b, "%s%s%s", p->bold ? BOLD : "", text, p->bold ? PLAIN : "");
}

/* ---- paragraphs ---- */

/* Length of the paragraph at text; *next is the one behind it. */
static size_t paragraph(const char *text, const char **next)
{
	const char *end = strstr(text, "\n\n");
	size_t n = end ? (size_t)(end - text) : strlen(text);

	*next = text + n + strspn(text + n, "\n");
	return n;
}

static bool is_verbatim(const char *text) { return !strncmp(text, "    ", 4); }

/* The lines without the four blanks they begin with. */
static void put_verbatim(struct page *p, const char *text, size_t n, unsigned at)
{
	struct buf code = { 0 };

	for (const char *end = text + n; text < end;) {
		size_t len = strcspn(text, "\n");

		if (len > (size_t)(end - text))
			len = (size_t)(end - text);
		if (len >= 4)
			buf_add(&code, text + 4, len - 4);
		buf_char(&code, '\n');
		text += len + 1;
	}
	if (p->roff)
		roff_code(&p->b, code.p, code.n);
	else
		indent_code(p, code.p, code.n, at + 4);
	buf_release(&code);
}

static void put_paragraph(struct page *p, const char *text, size_t n, unsigned at)
{
	char *copy;

	if (is_verbatim(text)) {
		put_verbatim(p, text, n, at);
		return;
	}
	if (p->roff) {
		roff_prose(&p->b, text, n);
		return;
	}
	copy = xstrndup(text, n);
	pad(&p->b, at);
	page_wrap(p, copy, at, at);
	free(copy);
}

/* All paragraphs, each behind `between`. */
static void put_paragraphs(struct page *p, const char *text, unsigned at, const char *between)
{
	const char *next;

	for (; *text; text = next) {
		size_t n = paragraph(text, &next);

		put_paragraph(p, text, n, at);
		if (*next)
			buf_str(&p->b, p->roff ? between : "\n");
	}
}

void page_text(struct page *p, const char *text)
{
	buf_str(&p->b, p->roff ? ".PP\n" : p->b.n && !p->headed ? "\n" : "");
	p->headed = false;
	put_paragraphs(p, text, p->margin, ".PP\n");
}

void page_heading(struct page *p, const char *text)
{
	if (p->roff) {
		roff_macro(&p->b, ".SH", text);
		return;
	}
	if (p->b.n)
		buf_char(&p->b, '\n');
	put_bold(p, text);
	buf_char(&p->b, '\n');
	p->headed = true;
}

void page_part(struct page *p, const char *text)
{
	char *title = xstrdup(text);

	if (*title >= 'a' && *title <= 'z')
		*title = (char)(*title - 'a' + 'A');
	if (p->roff)
		roff_macro(&p->b, ".SS", title);
	else
		page_heading(p, title);
	free(title);
}

void page_code(struct page *p, const char *text, size_t n)
{
	if (p->roff) {
		roff_code(&p->b, text, n);
	} else {
		indent_code(p, text, n, p->margin + 4);
	}
}

static void roff_item(struct page *p, const char *term, const char *text)
{
	buf_str(&p->b, ".TP\n\\fB");
	roff_line(&p->b, term, strlen(term), true);
	buf_str(&p->b, "\\fR\n");
	put_paragraphs(p, text, 0, ".IP\n");
}

void page_item(struct page *p, const char *term, const char *text, unsigned at)
{
	unsigned w = p->margin + (unsigned)utf8_width(term, strlen(term));

	p->headed = false;
	if (p->roff) {
		roff_item(p, term, text);
		return;
	}
	pad(&p->b, p->margin);
	put_bold(p, term);
	if (w + 2 > at) {
		buf_char(&p->b, '\n');
		w = 0;
	}
	pad(&p->b, at - w);
	page_wrap(p, text, at, at);
}

void page_entry(struct page *p, const char *term, const char *label)
{
	size_t w = utf8_width(term, strlen(term)), label_w = label ? strlen(label) + 2 : 0;

	if (p->roff) {
		buf_str(&p->b, ".TP\n\\fB");
		roff_line(&p->b, term, strlen(term), true);
		buf_str(&p->b, "\\fR\n");
		return;
	}
	if (p->b.n)
		buf_char(&p->b, '\n');
	put_bold(p, term);
	if (label) {
		pad(&p->b, w + label_w + 2 > p->width ? 2 : (unsigned)(p->width - w - label_w));
		buf_printf(&p->b, "(%s)", label);
	}
	buf_char(&p->b, '\n');
}

void page_entry_text(struct page *p, const char *text) { put_paragraphs(p, text, p->margin, ".IP\n"); }

void page_item_text(struct page *p, const char *text)
{
	buf_str(&p->b, p->roff ? ".IP\n" : "\n");
	put_paragraphs(p, text, p->margin, ".IP\n");
}

void page_item_code(struct page *p, const char *text, size_t n)
{
	if (p->roff) {
		buf_str(&p->b, ".RS\n");
		roff_code(&p->b, text, n);
		buf_str(&p->b, ".RE\n");
	} else {
		indent_code(p, text, n, p->margin + 4);
	}
}

void page_params_begin(struct page *p) { buf_str(&p->b, p->roff ? ".RS\n" : "\n"); }

void page_params_end(struct page *p) { buf_str(&p->b, p->roff ? ".RE\n" : ""); }
