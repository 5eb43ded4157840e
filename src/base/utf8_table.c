#include "base/mem.h"
#include "base/utf8.h"

struct utf8_range {
	uint32_t first, last;
};

struct utf8_case {
	uint32_t first, last;
	int step, delta;
};

#include "base/utf8_table.inc.h"

static int in_ranges(const struct utf8_range *r, size_t n, uint32_t cp)
{
	while (n > 0) {
		const struct utf8_range *mid = r + n / 2;

		if (cp < mid->first) {
			n /= 2;
		} else if (cp > mid->last) {
			r = mid + 1;
			n -= n / 2 + 1;
		} else {
			return 1;
		}
	}
	return 0;
}

static uint32_t map_case(const struct utf8_case *r, size_t n, uint32_t cp)
{
	while (n > 0) {
		const struct utf8_case *mid = r + n / 2;

		if (cp < mid->first) {
			n /= 2;
		} else if (cp > mid->last) {
			r = mid + 1;
			n -= n / 2 + 1;
		} else {
			return (cp - mid->first) % (uint32_t)mid->step ? cp : cp + (uint32_t)mid->delta;
		}
	}
	return cp;
}

unsigned utf8_char_width(uint32_t cp)
{
	if (cp < 0x300)
		return cp >= 0x20 && (cp < 0x7f || cp > 0x9f);
	if (in_ranges(zero_width, ARRAY_LEN(zero_width), cp))
		return 0;
	return cp >= wide[0].first && in_ranges(wide, ARRAY_LEN(wide), cp) ? 2 : 1;
}

uint32_t utf8_upper(uint32_t cp)
{
	if (cp < 0x80)
		return cp - (cp - 'a' < 26 ? 32 : 0);
	return map_case(upper_map, ARRAY_LEN(upper_map), cp);
}

uint32_t utf8_lower(uint32_t cp)
{
	if (cp < 0x80)
		return cp + (cp - 'A' < 26 ? 32 : 0);
	return map_case(lower_map, ARRAY_LEN(lower_map), cp);
}
