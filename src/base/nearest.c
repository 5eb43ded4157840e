#include "base/nearest.h"

#include <string.h>

#define NAME_MAX_BYTES 64

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Optimal string alignment distance: edits and swaps of neighbours, three rolling rows. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned rows[3][NAME_MAX_BYTES + 1];
	unsigned *before = rows[0], *prev = rows[1], *cur = rows[2];

	for (size_t j = 0; j <= nb; j++)
		prev[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *swap = before;

		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned cost = lower(a[i - 1]) != lower(b[j - 1]);

			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + cost);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]) && before[j - 2] + 1 < cur[j])
				cur[j] = before[j - 2] + 1;
		}
		before = prev;
		prev = cur;
		cur = swap;
	}
	return prev[nb];
}

void nearest_init(struct nearest *s, const char *p, size_t n)
{
	*s = (struct nearest){ .want = p, .want_n = n, .distance = ~0u };
}

void nearest_offer(struct nearest *s, const char *name)
{
	size_t n = strlen(name);
	unsigned d, limit = s->want_n / 3 > 1 ? (unsigned)(s->want_n / 3) : 1;

	if (!s->want_n || s->want_n > NAME_MAX_BYTES || n > NAME_MAX_BYTES)
		return;
	d = distance(s->want, s->want_n, name, n);
	if (d <= limit && d < s->distance && d < s->want_n) {
		s->distance = d;
		s->best = name;
	}
}
