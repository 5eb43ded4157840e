/* The manual pages, as roff. */
#ifndef STRM_CLI_MAN_H
#define STRM_CLI_MAN_H
#include "cli/page.h"

/* The page of that name (strm, strm-functions, strm-language) into p; false when there is none. */
bool man_page(struct page *p, const char *name);

#endif
