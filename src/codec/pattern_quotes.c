#include "codec/pattern_impl.h"

#include "base/simd.h"

/* Clear in m, the quotes of the block at p, those of `suspects` that stand behind an odd number of backslashes; `start`: of the
 * text. */
static uint64_t drop_escaped(const char *p, uint64_t m, uint64_t suspects, const char *start)
{
	for (; suspects; suspects &= suspects - 1) {
		const char *quote = p + __builtin_ctzll(suspects), *q = quote;

		while (q > start && q[-1] == '\\')
			q--;
		if ((quote - q) & 1)
			m &= ~(suspects & -suspects);
	}
	return m;
}

#define SIMD_BODY "codec/pattern_quotes.inc.h"
#include "base/simd_levels.h"

pattern_quotes_fn *pattern_quotes(void)
{
	static pattern_quotes_fn *const table[SIMD_LEVELS] = SIMD_TABLE(quotes);

	return table[simd_level()];
}
