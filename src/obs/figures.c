#include "obs/figures.h"

#include "base/time.h"

/* Three digits and the letter of a power of 1000. */
static void put_short(struct buf *b, double n, const char *gap)
{
	static const char letters[] = " kMGTPE";
	int k = 0;

	while (n >= 999.5 && letters[k + 1]) {
		n /= 1000;
		k++;
	}
	buf_printf(b, "%.*f%s", n < 9.995 ? 2 : n < 99.95 ? 1 : 0, n, gap);
	buf_char(b, letters[k]);
}

void put_count(struct buf *b, double n)
{
	if (n < 9999.5)
		buf_printf(b, "%.*f", n < 9.95 && n != (double)(int64_t)n ? 1 : 0, n);
	else
		put_short(b, n, "");
}

void put_bytes(struct buf *b, double n)
{
	if (n < 999.5)
		buf_printf(b, "%.0f ", n);
	else
		put_short(b, n, " ");
	buf_char(b, 'B');
}

void put_clock(struct buf *b, int64_t ns)
{
	long long s = ns / 1000000000;

	if (s >= 3600)
		buf_printf(b, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	else
		buf_printf(b, "%lld:%02lld", s / 60, s % 60);
}

void put_span(struct buf *b, int64_t ns)
{
	int64_t ms = ns / 1000000;

	if (ms < 1000)
		buf_printf(b, "%lldms", (long long)ms);
	else if (ms < 60000)
		buf_printf(b, "%lld.%llds", (long long)(ms / 1000), (long long)(ms / 100 % 10));
	else
		buf_took(b, dur_format(ms / 1000 * TIME_NS, buf_room(b, TIME_MAX)));
}
