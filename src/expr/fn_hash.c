/* Digests and checksums. MD5 is RFC 1321, SHA-1 and SHA-256 FIPS 180-4, CRC-32 that of zip and Ethernet (ISO 3309), HMAC RFC
 * 2104; XXH64 and XXH3 come from Debian's xxhash header. */
#define FN_GROUP "hashes"
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "expr/fn_impl.h"

/* A message cut into blocks of 64 bytes, the last ones with the padding all three digests share. */
struct digest {
	uint32_t h[8];
	void (*block)(uint32_t *h, const unsigned char *p);
	bool big_endian;
	unsigned words; /* of the result */
};

static uint32_t rol(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

static uint32_t load_le(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t load_be(const unsigned char *p)
{
	return p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}

static void md5_block(uint32_t *h, const unsigned char *p)
{
	/* floor(2^32 * abs(sin(i + 1))) */
	static const uint32_t k[64] = { 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
					0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
					0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
					0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
					0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
					0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
					0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
					0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
					0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
					0xeb86d391 };
	static const unsigned char shift[16] = { 7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21 };
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3];

	for (unsigned i = 0; i < 64; i++) {
		unsigned round = i / 16;
		unsigned g = round == 0 ? i : round == 1 ? 5 * i + 1 : round == 2 ? 3 * i + 5 : 7 * i;
		uint32_t f = round == 0	  ? (b & c) | (~b & d)
			     : round == 1 ? (d & b) | (~d & c)
			     : round == 2 ? b ^ c ^ d
					  : c ^ (b | ~d);

		f += a + k[i] + load_le(p + (g & 15) * 4);
		a = d;
		d = c;
		c = b;
		b += rol(f, shift[round * 4 + i % 4]);
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
}

static void sha1_block(uint32_t *h, const unsigned char *p)
{
	static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], w[80];

	for (unsigned i = 0; i < 80; i++) {
		unsigned round = i / 20;
		uint32_t f = round == 0 ? (b & c) | (~b & d) : round == 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;

		w[i] = i < 16 ? load_be(p + i * 4) : rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
		f += rol(a, 5) + e + k[round] + w[i];
		e = d;
		d = c;
		c = rol(b, 30);
		b = a;
		a = f;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

static void sha256_block(uint32_t *h, const unsigned char *p)
{
	static const uint32_t k[64] = { 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
					0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
					0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
					0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
					0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
					0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
					0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
					0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
					0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
					0xc67178f2 };
	uint32_t w[64], s[8];

	memcpy(s, h, sizeof s);
	for (unsigned i = 0; i < 64; i++) {
		uint32_t t1, t2;

		if (i < 16) {
			w[i] = load_be(p + i * 4);
		} else {
			uint32_t x = w[i - 15], y = w[i - 2];

			w[i] = w[i - 16] + (rol(x, 25) ^ rol(x, 14) ^ x >> 3) + w[i - 7] + (rol(y, 15) ^ rol(y, 13) ^ y >> 10);
		}
		t1 = s[7] + (rol(s[4], 26) ^ rol(s[4], 21) ^ rol(s[4], 7)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
		t2 = (rol(s[0], 30) ^ rol(s[0], 19) ^ rol(s[0], 10)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
		memmove(s + 1, s, 7 * sizeof *s);
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (unsigned i = 0; i < 8; i++)
		h[i] += s[i];
}

static const struct digest md5 = { { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 }, md5_block, false, 4 };
static const struct digest sha1 = { { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 }, sha1_block, true, 5 };
static const struct digest sha256 = {
	{ 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 }, sha256_block, true, 8
};

static void store(unsigned char *p, uint64_t x, unsigned n, bool big_endian)
{
	for (unsigned i = 0; i < n; i++)
		p[big_endian ? n - 1 - i : i] = (unsigned char)(x >> 8 * i);
}

/* Digest of a block-sized prefix (NULL: none) and t, raw bytes into out (32). */
static void digest_bytes(const struct digest *kind, const unsigned char *prefix, struct fn_text t, unsigned char *out)
{
	unsigned char last[128] = { 0 };
	struct digest d = *kind;
	size_t done = 0, rest, end;

	if (prefix)
		d.block(d.h, prefix);
	for (; t.n - done >= 64; done += 64)
		d.block(d.h, (const unsigned char *)t.p + done);
	rest = t.n - done;
	if (rest)
		memcpy(last, t.p + done, rest);
	last[rest] = 0x80;
	end = rest < 56 ? 64 : 128;
	store(last + end - 8, ((uint64_t)t.n + (prefix ? 64 : 0)) * 8, 8, d.big_endian);
	for (size_t i = 0; i < end; i += 64)
		d.block(d.h, last + i);
	for (unsigned i = 0; i < d.words; i++)
		store(out + i * 4, d.h[i], 4, d.big_endian);
}

static void hex_out(struct fn_call *c, const unsigned char *p, size_t n, struct value *out)
{
	static const char digit[] = "0123456789abcdef";
	char *d = arena_bytes(c->arena, 2 * n);

	for (size_t i = 0; i < n; i++) {
		d[2 * i] = digit[p[i] >> 4];
		d[2 * i + 1] = digit[p[i] & 15];
	}
	*out = v_str(d, 2 * n);
}

static void digest_out(struct fn_call *c, const struct value *v, const struct digest *kind, struct value *out)
{
	unsigned char raw[32];
	struct fn_text t;

	if (!fn_text(c, v, &t))
		return;
	digest_bytes(kind, NULL, t, raw);
	hex_out(c, raw, kind->words * 4, out);
}

static void row_md5(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	digest_out(c, v, &md5, out);
}

static void row_sha1(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	digest_out(c, v, &sha1, out);
}

static void row_sha256(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	(void)n;
	digest_out(c, v, &sha256, out);
}

static void row_hmac(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	unsigned char key[64] = { 0 }, raw[32];
	struct fn_text k, t;

	(void)n;
	if (!fn_text(c, &v[0], &k) || !fn_text(c, &v[1], &t))
		return;
	if (k.n > sizeof key)
		digest_bytes(&sha256, NULL, k, key);
	else if (k.n)
		memcpy(key, k.p, k.n);
	for (unsigned i = 0; i < sizeof key; i++)
		key[i] ^= 0x36;
	digest_bytes(&sha256, key, t, raw);
	for (unsigned i = 0; i < sizeof key; i++)
		key[i] ^= 0x36 ^ 0x5c;
	digest_bytes(&sha256, key, (struct fn_text){ (const char *)raw, 32 }, raw);
	hex_out(c, raw, 32, out);
}

static void row_crc32(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	/* of each half byte */
	static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
					    0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
					    0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
	uint32_t crc = 0xffffffff;
	struct fn_text t;

	(void)n;
	if (!fn_text(c, v, &t))
		return;
	for (size_t i = 0; i < t.n; i++) {
		crc ^= (unsigned char)t.p[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	*out = v_int(crc ^ 0xffffffff);
}

static void hash64_out(struct fn_call *c, uint64_t h, struct value *out)
{
	unsigned char raw[8];

	store(raw, h, 8, true);
	hex_out(c, raw, 8, out);
}

static void row_xxh64(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;

	(void)n;
	if (fn_text(c, v, &t))
		hash64_out(c, XXH64(t.p, t.n, 0), out);
}

static void row_xxh3(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;

	(void)n;
	if (fn_text(c, v, &t))
		hash64_out(c, XXH3_64bits(t.p, t.n), out);
}

static void row_hash(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	int64_t buckets = INT64_MAX;
	struct fn_text t;
	uint64_t h;

	if (!fn_text(c, &v[0], &t) || (n > 1 && !fn_arg_int(c, &v[1], &buckets)))
		return;
	if (buckets < 1) {
		fn_fail(c, "at least one bucket");
		return;
	}
	h = XXH3_64bits(t.p, t.n);
	*out = v_int((int64_t)((unsigned __int128)h * (uint64_t)buckets >> 64));
}

static void row_hash_fraction(struct fn_call *c, const struct value *v, uint32_t n, struct value *out)
{
	struct fn_text t;

	(void)n;
	if (fn_text(c, v, &t))
		*out = v_float((double)(XXH3_64bits(t.p, t.n) >> 11) * 0x1p-53);
}

#define HASH(name, row_, alias, sum, expr, result) \
	{ \
		FN_DOC(name, name "(S)", sum), .doc.aliases = alias, FN_EX(EX(expr, result)), FN_ARGS(1, 1), .row = row_ \
	}

static const struct fn_def defs[] = {
	HASH("md5", row_md5, NULL, "MD5, as hex digits", "md5(\"abc\")", "\"900150983cd24fb0d6963f7d28e17f72\""),
	HASH("sha1", row_sha1, "sha", "SHA-1, as hex digits", "sha1(\"abc\")", "\"a9993e364706816aba3e25717850c26c9cd0d89d\""),
	HASH("sha256", row_sha256, NULL, "SHA-256, as hex digits", "sha256(\"abc\")",
	     "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""),
	{ FN_DOC("hmac_sha256", "hmac_sha256(KEY, S)", "HMAC with SHA-256, as hex digits"),
	  FN_EX(EX("hmac_sha256(\"Jefe\", \"what do ya want for nothing?\")",
		   "\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\"")),
	  FN_ARGS(2, 2), .row = row_hmac },
	HASH("crc32", row_crc32, NULL, "CRC-32 of zip and Ethernet, as a number", "crc32(\"123456789\")", "3421780262"),
	HASH("xxh64", row_xxh64, "xxhash64", "XXH64 with seed 0, as hex digits", "xxh64(\"\")", "\"ef46db3751d8e999\""),
	HASH("xxh3", row_xxh3, NULL, "XXH3 of 64 bits, as hex digits", "xxh3(\"\")", "\"2d06800538d394c2\""),
	{ FN_DOC("hash", "hash(S [, N])",
		 "a number from 0 to N - 1 (2^63 - 2 without N) that depends on the text alone: to spread keys over N buckets"),
	  FN_EX(EX("hash(\"alice\", 8) == hash(\"alice\", 8)", "true"), EX("between(hash(\"bob\", 4), 0, 3)", "true")),
	  FN_ARGS(1, 2), .row = row_hash },
	HASH("hash_fraction", row_hash_fraction, NULL,
	     "a number from 0 up to, not including, 1 that depends on the text alone: to sample by key",
	     "hash_fraction(\"alice\") < 1", "true"),
};

FN_FAMILY(fn_family_hash);
