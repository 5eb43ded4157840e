/* Errors for people: message, source line, caret, hint. */
#include "expr/parse.h"

#include "base/utf8.h"

#define LINE_WIDTH 100 /* columns of source shown */
#define ELLIPSIS "..."

/* One line of a unit, and where the error is in it. */
struct place {
	const char *line;
	size_t n;		/* bytes of the line */
	size_t at;		/* byte of the error */
	size_t covered;		/* bytes it covers, at least 0 */
	size_t line_no, column; /* from 1; characters */
};

/* Part of a line that fits. */
struct window {
	size_t from, end; /* bytes */
	bool cut_left, cut_right;
};

static struct place find_place(const struct source_unit *u, const struct pos *pos)
{
	size_t at = pos->at < 0 ? 0 : (size_t)pos->at, start, end, covered = pos->n < 0 ? 0 : (size_t)pos->n;
	struct place p = { .line_no = 1 };

	if (at > u->n)
		at = u->n;
	for (start = at; start > 0 && u->text[start - 1] != '\n'; start--)
		;
	for (end = at; end < u->n && u->text[end] != '\n'; end++)
		;
	for (size_t i = 0; i < start; i++)
		p.line_no += u->text[i] == '\n';
	p.line = u->text + start;
	p.n = end - start;
	if (p.n && p.line[p.n - 1] == '\r')
		p.n--;
	p.at = at - start > p.n ? p.n : at - start;
	p.covered = covered > p.n - p.at ? p.n - p.at : covered;
	p.column = utf8_length(p.line, p.at) + 1;
	return p;
}

/* Characters that would disturb a terminal. */
static bool is_hostile(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0xd800 && cp < 0xe000) || (cp >= 0x200b && cp <= 0x200f) ||
	       (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff;
}

/* The character at p as it is shown: bytes to b (NULL: only measure), its length to *len; returns its columns. */
static size_t show_char(struct buf *b, const char *p, size_t n, size_t *len)
{
	uint32_t cp;
	unsigned w = utf8_decode(p, n, &cp);

	*len = w;
	if (cp == '\t' || is_hostile(cp)) {
		if (b)
			buf_char(b, cp == '\t' ? ' ' : '.');
		return 1;
	}
	if (b)
		buf_add(b, p, w);
	return utf8_width(p, w);
}

static size_t show_text(struct buf *b, const char *p, size_t n)
{
	size_t width = 0, len;

	for (size_t i = 0; i < n; i += len)
		width += show_char(b, p + i, n - i, &len);
	return width;
}

/* Start of the character before byte i. */
static size_t char_before(const char *p, size_t i)
{
	size_t k = i - 1, least = i > 4 ? i - 4 : 0;
	uint32_t cp;

	while (k > least && ((unsigned char)p[k] & 0xc0) == 0x80)
		k--;
	return k + utf8_decode(p + k, i - k, &cp) == i ? k : i - 1;
}

/* From byte `from` on, what fits in `room` columns: the byte behind it. */
static size_t fit_right(const struct place *p, size_t from, size_t room)
{
	size_t len, width = 0, i = from;

	while (i < p->n) {
		width += show_char(NULL, p->line + i, p->n - i, &len);
		if (width > room)
			break;
		i += len;
	}
	return i;
}

static size_t fit_left(const struct place *p, size_t end, size_t room)
{
	size_t len, width = 0, i = end;

	while (i > 0) {
		size_t k = char_before(p->line, i);

		width += show_char(NULL, p->line + k, i - k, &len);
		if (width > room)
			break;
		i = k;
	}
	return i;
}

/* The whole line, or a window with the caret two thirds in. */
static struct window find_window(const struct place *p)
{
	struct window w = { 0, p->n, false, false };

	if (fit_right(p, 0, LINE_WIDTH) == p->n)
		return w;
	w.from = fit_left(p, p->at, LINE_WIDTH * 2 / 3);
	w.end = fit_right(p, w.from, LINE_WIDTH);
	if (w.end == p->n)
		w.from = fit_left(p, p->n, LINE_WIDTH);
	w.cut_left = w.from > 0;
	w.cut_right = w.end < p->n;
	return w;
}

static void show_caret(struct buf *b, const struct place *p, const struct window *w)
{
	size_t end = p->at + p->covered, width;

	if (end > w->end)
		end = w->end;
	width = show_text(NULL, p->line + w->from, p->at - w->from);
	buf_printf(b, "  %*s^", (int)(width + (w->cut_left ? sizeof ELLIPSIS - 1 : 0)), "");
	width = end > p->at ? show_text(NULL, p->line + p->at, end - p->at) : 0;
	for (size_t i = 1; i < width; i++)
		buf_char(b, '~');
	buf_char(b, '\n');
}

static void show_source(struct buf *b, const struct place *p)
{
	struct window w = find_window(p);

	buf_str(b, "  ");
	if (w.cut_left)
		buf_str(b, ELLIPSIS);
	show_text(b, p->line + w.from, w.end - w.from);
	if (w.cut_right)
		buf_str(b, ELLIPSIS);
	buf_char(b, '\n');
	show_caret(b, p, &w);
}

static void show_where(struct buf *b, const struct source_unit *u, const struct pos *pos, const struct place *p)
{
	if (u->file) {
		show_text(b, u->file, strlen(u->file));
		buf_printf(b, ":%zu:%zu: ", p->line_no, p->column);
		return;
	}
	if (pos->stage > 0)
		buf_printf(b, "stage %d, ", pos->stage);
	if (memchr(u->text, '\n', u->n))
		buf_printf(b, "line %zu, ", p->line_no);
	buf_printf(b, "column %zu: ", p->column);
}

void err_render(struct buf *out, const struct err *e, const struct source_unit *units, int n_units)
{
	bool placed = e->kind == ERR_PROGRAM && e->pos.unit >= 0 && e->pos.unit < n_units;
	struct place p = { 0 };

	buf_str(out, "strm: ");
	if (placed) {
		p = find_place(&units[e->pos.unit], &e->pos);
		show_where(out, &units[e->pos.unit], &e->pos, &p);
	}
	show_text(out, e->msg, strlen(e->msg));
	buf_char(out, '\n');
	if (placed && p.n)
		show_source(out, &p);
	if (e->hint[0]) {
		buf_str(out, "hint: ");
		show_text(out, e->hint, strlen(e->hint));
		buf_char(out, '\n');
	}
}
