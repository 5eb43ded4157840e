#define XXH_INLINE_ALL
#include <xxhash.h>

#include "data/hash.h"

uint64_t hash_long(const char *p, size_t n)
{
	return XXH3_64bits(p, n);
}
