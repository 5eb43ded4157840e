#include "codec/pattern_impl.h"

#include "base/simd.h"

/* Is the quote at q behind an odd number of backslashes? */
static bool quote_escaped(const char *s, size_t q)
{
	size_t i = q;

	while (i && s[i - 1] == '\\')
		i--;
	return (q - i) & 1;
}

#define SIMD_BODY "codec/pattern_quotes.inc.h"
#include "base/simd_levels.h"

pattern_quotes_fn *pattern_quotes(void)
{
	static pattern_quotes_fn *const table[SIMD_LEVELS] = SIMD_TABLE(quotes);

	return table[simd_level()];
}
