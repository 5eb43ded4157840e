/* "Did you mean": the nearest of several names. */
#ifndef STRM_BASE_NEAREST_H
#define STRM_BASE_NEAREST_H
#include <stddef.h>

struct nearest {
	const char *best; /* NULL: nothing near enough */
	unsigned distance;
	const char *want;
	size_t want_n;
};

/* Start a search for the name nearest to p (Damerau-Levenshtein, optimal string alignment, case ignored at no cost of order). */
void nearest_init(struct nearest *s, const char *p, size_t n);
/* Offer a candidate; must outlive the search. Kept if its distance is at most max(1, n / 3) and the smallest so far. */
void nearest_offer(struct nearest *s, const char *name);

#endif
