#include "agg/pack.h"

void pack_uint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_char(b, (char)(v | 0x80));
	buf_char(b, (char)v);
}

int unpack_uint(const char **p, const char *end, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
		unsigned char c = (unsigned char)*(*p)++;

		if (shift == 63 && c > 1)
			return -1;
		*v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return c || !shift ? 0 : -1;
	}
	return -1;
}

void pack_fixed(struct buf *b, uint64_t v, int n)
{
	for (int i = 0; i < n; i++)
		buf_char(b, (char)(v >> (8 * i)));
}

int unpack_fixed(const char **p, const char *end, uint64_t *v, int n)
{
	if (end - *p < n)
		return -1;
	*v = 0;
	for (int i = 0; i < n; i++)
		*v |= (uint64_t)(unsigned char)(*p)[i] << (8 * i);
	*p += n;
	return 0;
}

void pack_double(struct buf *b, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, 8);
	pack_fixed(b, bits, 8);
}

int unpack_double(const char **p, const char *end, double *v)
{
	uint64_t bits;

	if (unpack_fixed(p, end, &bits, 8))
		return -1;
	memcpy(v, &bits, 8);
	return 0;
}

static int int128_bytes(__int128 v)
{
	int n = 16;

	if (!v)
		return 0;
	while (n > 1 && v >> (8 * (n - 1) - 1) == (v < 0 ? -1 : 0))
		n--;
	return n;
}

void pack_int128(struct buf *b, __int128 v)
{
	int n = int128_bytes(v);

	buf_char(b, (char)n);
	for (int i = 0; i < n; i++)
		buf_char(b, (char)(v >> (8 * i)));
}

int unpack_int128(const char **p, const char *end, __int128 *v)
{
	unsigned __int128 u = 0;
	int n;

	if (*p >= end || (n = *(*p)++) < 0 || n > 16 || end - *p < n)
		return -1;
	if (n && (*p)[n - 1] < 0)
		u = ~u;
	for (int i = n - 1; i >= 0; i--)
		u = u << 8 | (unsigned char)(*p)[i];
	*p += n;
	*v = (__int128)u;
	return int128_bytes(*v) == n ? 0 : -1;
}

void pack_bytes(struct buf *b, const char *p, size_t n)
{
	pack_uint(b, n);
	buf_add(b, p, n);
}

int unpack_bytes(const char **p, const char *end, const char **s, size_t *n)
{
	uint64_t len;

	if (unpack_uint(p, end, &len) || len > (size_t)(end - *p))
		return -1;
	*s = *p;
	*n = (size_t)len;
	*p += len;
	return 0;
}
