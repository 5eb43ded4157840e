#include "codec/name_set.h"

#include <stdlib.h>

#include "base/mem.h"
#include "data/hash.h"

void name_set_begin(struct name_set *s, uint32_t n)
{
	uint32_t size = 8;

	while (size < n * 2)
		size *= 2;
	s->name = xgrow(s->name, &s->name_cap, n, sizeof *s->name);
	s->len = xgrow(s->len, &s->len_cap, n, sizeof *s->len);
	s->slot = xgrow(s->slot, &s->slot_cap, size, sizeof *s->slot);
	memset(s->slot, 0, size * sizeof *s->slot);
	s->mask = size - 1;
	s->n = 0;
}

void name_set_release(struct name_set *s)
{
	free(s->name);
	free(s->len);
	free(s->slot);
	*s = (struct name_set){ 0 };
}

static uint32_t *find(const struct name_set *s, const char *p, uint32_t n)
{
	uint32_t at = (uint32_t)hash_bytes(p, n) & s->mask;

	for (; s->slot[at]; at = (at + 1) & s->mask) {
		uint32_t i = s->slot[at] - 1;

		if (s->len[i] == n && !memcmp(s->name[i], p, n))
			break;
	}
	return &s->slot[at];
}

int64_t name_set_find(const struct name_set *s, const char *p, uint32_t n) { return (int64_t)*find(s, p, n) - 1; }

uint32_t name_set_add(struct name_set *s, const char *p, uint32_t n)
{
	*find(s, p, n) = s->n + 1;
	s->name[s->n] = p;
	s->len[s->n] = n;
	return s->n++;
}
