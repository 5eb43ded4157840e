/* A set of field names that remembers the order they came in: for making header names and keys of one record unique. */
#ifndef STRM_CODEC_NAME_SET_H
#define STRM_CODEC_NAME_SET_H
#include <stddef.h>
#include <stdint.h>

struct name_set {
	const char **name; /* n of them, not owned */
	uint32_t *len;
	uint32_t *slot; /* open addressing: member + 1, 0 free */
	uint32_t n, mask;
	size_t name_cap, len_cap, slot_cap;
};

/* Empty, with room for n names; zeroed memory is a valid set to call it on, also again. */
void name_set_begin(struct name_set *s, uint32_t n);
void name_set_release(struct name_set *s);
/* Its ordinal, or -1. */
int64_t name_set_find(const struct name_set *s, const char *p, uint32_t n);
/* Adds a name that is not in it yet; at most as many as name_set_begin made room for. Returns its ordinal. */
uint32_t name_set_add(struct name_set *s, const char *p, uint32_t n);

#endif
