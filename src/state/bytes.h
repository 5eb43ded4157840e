/* Integers in the files of the store: little-endian, fixed or LEB128, and a reader that cannot leave its bytes. */
#ifndef STRM_STATE_BYTES_H
#define STRM_STATE_BYTES_H
#include <endian.h>
#include <stdbool.h>

#include "base/buf.h"
#include "state/store.h"

static inline void store_le(char *p, uint64_t v, int n)
{
	v = htole64(v);
	memcpy(p, &v, (size_t)n);
}

static inline uint64_t load_le(const char *p, int n)
{
	uint64_t v = 0;

	memcpy(&v, p, (size_t)n);
	return le64toh(v);
}

static inline void put_le(struct buf *b, uint64_t v, int n)
{
	store_le(buf_room(b, 8), v, n);
	buf_took(b, (size_t)n);
}

static inline void put_varint(struct buf *b, uint64_t v)
{
	char *p = buf_room(b, 10);
	int n = 0;

	for (; v >= 128; v >>= 7)
		p[n++] = (char)(v | 128);
	p[n++] = (char)v;
	buf_took(b, (size_t)n);
}

static inline void put_bytes(struct buf *b, struct store_bytes s)
{
	put_varint(b, s.n);
	buf_add(b, s.p, s.n);
}

/* Once bad, everything read is 0. */
struct bytes_in {
	const char *p, *end;
	bool bad;
};

static inline uint64_t get_le(struct bytes_in *in, int n)
{
	uint64_t v;

	if (in->end - in->p < n) {
		in->bad = true;
		in->p = in->end;
		return 0;
	}
	v = load_le(in->p, n);
	in->p += n;
	return v;
}

static inline uint64_t get_varint(struct bytes_in *in)
{
	uint64_t v = 0;

	for (int shift = 0; shift < 64 && in->p < in->end; shift += 7) {
		unsigned char c = (unsigned char)*in->p++;

		v |= (uint64_t)(c & 127) << shift;
		if (c < 128)
			return v;
	}
	in->bad = true;
	in->p = in->end;
	return 0;
}

static inline struct store_bytes get_n(struct bytes_in *in, uint64_t n)
{
	struct store_bytes s = { in->p, (size_t)n };

	if (n > (uint64_t)(in->end - in->p)) {
		in->bad = true;
		in->p = in->end;
		return (struct store_bytes){ in->end, 0 };
	}
	in->p += n;
	return s;
}

static inline struct store_bytes get_bytes(struct bytes_in *in)
{
	return get_n(in, get_varint(in));
}

/* XXH3 with a seed. */
uint64_t sum64(const char *p, size_t n, uint64_t seed);
struct sum128 {
	uint64_t hi, lo;
};
struct sum128 sum128(const char *p, size_t n);

#endif
