#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/time.h"
#include "io/url.h"

#define MS (TIME_NS / 1000)

static void refuse(const struct url *u, const char *key, const char *want, struct err *e)
{
	err_set(e, ERR_USAGE, "%s: option '%s' is %s, not '%s'", u->spec, key, want, url_option(u, key));
}

static bool in_range(int64_t v, const int64_t range[2]) { return v >= range[0] && v <= range[1]; }

int url_option_int(const struct url *u, const char *key, const int64_t range[2], int64_t *v, struct err *e)
{
	const char *s = url_option(u, key);
	struct num num;
	char want[80];

	if (!s)
		return 0;
	if (num_parse(s, strlen(s), &num) == NUM_INT && in_range(num.i, range)) {
		*v = num.i;
		return 0;
	}
	snprintf(want, sizeof want, "a number of %lld to %lld", (long long)range[0], (long long)range[1]);
	refuse(u, key, want, e);
	return -1;
}

int url_option_ms(const struct url *u, const char *key, const int64_t range[2], int64_t *v, struct err *e)
{
	const char *s = url_option(u, key);
	char lo[TIME_MAX], hi[TIME_MAX], want[3 * TIME_MAX];
	int64_t ns;

	if (!s)
		return 0;
	if (dur_parse(s, strlen(s), &ns, NULL) && in_range(ns / MS, range)) {
		*v = ns / MS;
		return 0;
	}
	snprintf(want, sizeof want, "a duration of %.*s to %.*s", (int)dur_format(range[0] * MS, lo), lo,
		 (int)dur_format(range[1] * MS, hi), hi);
	refuse(u, key, want, e);
	return -1;
}

/* Digits and at most one letter K, M or G (powers of 1024). */
static bool parse_size(const char *s, int64_t *v)
{
	static const char units[] = "KMG";
	size_t n = strlen(s);
	const char *unit = n ? strchr(units, s[n - 1]) : NULL;
	struct num num;

	if (num_parse(s, n - (unit != NULL), &num) != NUM_INT || num.i < 0 || num.i >= (int64_t)1 << 32)
		return false;
	*v = unit ? num.i << 10 * (unit - units + 1) : num.i;
	return true;
}

int url_option_size(const struct url *u, const char *key, const int64_t range[2], int64_t *v, struct err *e)
{
	const char *s = url_option(u, key);
	char want[80];
	int64_t size;

	if (!s)
		return 0;
	if (parse_size(s, &size) && in_range(size, range)) {
		*v = size;
		return 0;
	}
	snprintf(want, sizeof want, "a size of %lld to %lld", (long long)range[0], (long long)range[1]);
	refuse(u, key, want, e);
	return -1;
}

char *url_label(const struct url *u)
{
	size_t n = strlen(u->scheme), raw_n = strlen(u->raw);
	char *s = xmalloc(n + 1 + raw_n + 1);

	snprintf(s, n + 1 + raw_n + 1, "%s:%s", u->scheme, u->raw);
	return s;
}
