/* A page of help: headings, paragraphs, items and verbatim text, laid out for a terminal or as roff for man.
 *
 * Prose is plain text: a blank line ends a paragraph, `code` stands in backticks, a paragraph that begins with four blanks is
 * verbatim. The owner calls page_release. */
#ifndef STRM_CLI_PAGE_H
#define STRM_CLI_PAGE_H
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

struct page {
	struct buf b;
	bool roff;
	bool bold;	 /* terminal: headings and terms stand out */
	unsigned width;	 /* terminal: columns */
	unsigned margin; /* terminal: of text below its heading */
	bool headed;	 /* nothing stands below the last heading yet */
};

/* For `out`: bold on a terminal, as wide as that is, at most 100 columns; elsewhere 80. */
void page_init(struct page *p, FILE *out);
/* Write the page; 0, or -1 and errno. */
int page_put(struct page *p, FILE *out);
void page_release(struct page *p);

/* A section (.SH), and a part of one (.SS), which begins with a capital. */
void page_heading(struct page *p, const char *text);
void page_part(struct page *p, const char *text);
/* Paragraphs. */
void page_text(struct page *p, const char *text);
/* Verbatim text of n bytes, of one or more lines. */
void page_code(struct page *p, const char *text, size_t n);
/* A term and what it means, at column `at` of a terminal (on the next line when the term is longer); `text` may have paragraphs.
 */
void page_item(struct page *p, const char *term, const char *text, unsigned at);
/* The head of a long entry, `label` (NULL: none) at the right; then its first paragraph, further ones, and verbatim text. */
void page_entry(struct page *p, const char *term, const char *label);
void page_entry_text(struct page *p, const char *text);
void page_item_text(struct page *p, const char *text);
void page_item_code(struct page *p, const char *text, size_t n);
/* Around items that belong to an entry. */
void page_params_begin(struct page *p);
void page_params_end(struct page *p);
/* Terminal: words from column `from` on, wrapped, further lines at column `at`. */
void page_wrap(struct page *p, const char *text, unsigned from, unsigned at);

#endif
