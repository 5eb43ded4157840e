#include "io/marks.h"

#include "base/time.h"

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* The next word of key=value words; its length, 0 at the end. */
static size_t next_word(const char **p, const char *end)
{
	const char *q;

	while (*p < end && is_blank(**p))
		++*p;
	for (q = *p; q < end && !is_blank(*q);)
		q++;
	return (size_t)(q - *p);
}

bool mark_is(const char *p, size_t n)
{
	const char *end = p + n, *q = p + 1;
	size_t len;

	if (!n || *p != '\f')
		return false;
	for (; (len = next_word(&q, end)); q += len) {
		const char *eq = memchr(q, '=', len);

		if (!eq || eq == q)
			return false;
	}
	return true;
}

static bool parse_time(const char *p, size_t n, int64_t *t)
{
	return time_parse(p, n, &(struct time_opts){ 0 }, t);
}

static int parse_clock(const char *p, size_t n, struct mark *out, const char **why)
{
	out->has_clock = true;
	out->clock_relative = n && *p == '+';
	if (out->clock_relative ? dur_parse(p + 1, n - 1, &out->clock_ns, NULL) : parse_time(p, n, &out->clock_ns))
		return 0;
	*why = "clock= wants a time or +duration";
	return -1;
}

static int parse_watermark(const char *p, size_t n, int64_t *at, const char **why)
{
	*at = MARK_INF;
	if ((n == 3 && !memcmp(p, "inf", 3)) || parse_time(p, n, at))
		return 0;
	*why = "watermark= wants a time or inf";
	return -1;
}

/* watermark.NAME=TIME */
static int parse_named(const char *name, size_t name_n, const char *p, size_t n, struct mark *out, const char **why)
{
	struct mark_named *m = &out->named[out->n_named];

	if (!name_n || out->n_named == MARK_NAMES_MAX) {
		*why = name_n ? "more than 32 named watermarks" : "watermark.NAME= wants a name";
		return -1;
	}
	out->n_named++;
	m->name = name;
	m->n = name_n;
	return parse_watermark(p, n, &m->at, why);
}

/* key=value, the value at v. */
static int parse_word(const char *key, size_t n, const char *v, size_t vn, struct mark *out, const char **why)
{
	if (n == 5 && !memcmp(key, "clock", 5))
		return parse_clock(v, vn, out, why);
	if (n < 9 || memcmp(key, "watermark", 9))
		return 0;
	if (n > 9)
		return key[9] == '.' ? parse_named(key + 10, n - 10, v, vn, out, why) : 0;
	out->has_watermark = true;
	return parse_watermark(v, vn, &out->watermark, why);
}

int mark_parse(const char *p, size_t n, struct mark *out, const char **why)
{
	const char *end = p + n, *q = p + 1;
	size_t len;

	*out = (struct mark){ 0 };
	for (; (len = next_word(&q, end)); q += len) {
		const char *eq = memchr(q, '=', len);

		if (parse_word(q, (size_t)(eq - q), eq + 1, len - (size_t)(eq + 1 - q), out, why))
			return -1;
	}
	return 0;
}

int mark_find(const char *p, size_t n, bool final, size_t *at, size_t *next)
{
	const char *end = p + n, *q = p;

	while ((q = memchr(q, '\f', (size_t)(end - q)))) {
		const char *nl;

		if (q > p && q[-1] != '\n') {
			q++;
			continue;
		}
		nl = memchr(q, '\n', (size_t)(end - q));
		if (!nl && !final) {
			*at = (size_t)(q - p);
			return 0;
		}
		if (mark_is(q, (size_t)((nl ? nl : end) - q))) {
			*at = (size_t)(q - p);
			*next = (size_t)((nl ? nl + 1 : end) - p);
			return 1;
		}
		q++;
	}
	*at = n;
	return 0;
}
