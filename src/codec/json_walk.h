/* The second stage of the JSON fast path: from token to token, checking all of the grammar, whether a value is wanted or not.
 *
 * A walk function takes the number of the token where something starts and returns that of the token behind it (never 0), or 0
 * with w->failed the token where it went wrong. If that token is a JSON_CUT the text at hand ended too early; else it is not
 * JSON. */
#ifndef STRM_CODEC_JSON_WALK_H
#define STRM_CODEC_JSON_WALK_H
#include "codec/json_scan.h"
#include "data/value.h"

struct json_walk {
	struct json_index ix;
	struct arena *arena; /* of unescaped strings and nested values */
	uint32_t failed;
};

/* Any value at token k; `depth` containers are open around it. */
static inline uint32_t json_skip(struct json_walk *w, uint32_t k, unsigned depth);
uint32_t json_read(struct json_walk *w, uint32_t k, unsigned depth, struct value *out);
/* A key and its colon at token k. The name is a view or in the arena. */
static inline uint32_t json_key(struct json_walk *w, uint32_t k, const char **name, uint32_t *n);

/* For the inline functions. */
uint32_t json_skip_nested(struct json_walk *w, uint32_t k, unsigned depth);
bool json_scalar_ok(const char *p, const char *end);
const char *json_unescape(struct json_walk *w, uint32_t from, uint32_t to, uint32_t *n);

static inline uint32_t json_fail(struct json_walk *w, uint32_t k)
{
	w->failed = k;
	return 0;
}

static inline bool json_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/* The end of what starts at token k, white space behind it left out. */
static inline uint32_t json_token_end(const struct json_index *ix, uint32_t k)
{
	uint32_t end = ix->at[k + 1];

	while (json_space(ix->p[end - 1]))
		end--;
	return end;
}

/* The bytes of the string at token k. */
static inline const char *json_string(struct json_walk *w, uint32_t k, uint32_t *n)
{
	uint32_t from = w->ix.at[k] + 1, to = json_token_end(&w->ix, k) - 1;

	if (unlikely(json_escaped(&w->ix, from, to)))
		return json_unescape(w, from, to, n);
	*n = to - from;
	return w->ix.p + from;
}

static inline uint32_t json_key(struct json_walk *w, uint32_t k, const char **name, uint32_t *n)
{
	const char *kind = w->ix.kind;

	if (unlikely(kind[k] != '"' || kind[k + 1] != ':'))
		return json_fail(w, kind[k] == '"' ? k + 1 : k);
	*name = json_string(w, k, n);
	return k + 2;
}

/* Is it a plain number of up to eight digits? Eight bytes are read. */
static inline bool json_plain_digits(const char *p, uint32_t n)
{
	uint64_t v;

	if (n > 8 || (*p == '0' && n > 1))
		return false;
	memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	v ^= 0x3030303030303030;
	v = ((v & 0x7f7f7f7f7f7f7f7f) + 0x7676767676767676) | v;
	return !((v & 0x8080808080808080) << (64 - 8 * n));
}

/* A number, true, false or null. */
static inline uint32_t json_scalar(struct json_walk *w, uint32_t k)
{
	const char *p = w->ix.p + w->ix.at[k];
	uint32_t end;

	if (unlikely(w->ix.kind[k] == JSON_CUT))
		return json_fail(w, k);
	end = json_token_end(&w->ix, k);
	if (likely(json_plain_digits(p, end - w->ix.at[k]) || json_scalar_ok(p, w->ix.p + end)))
		return k + 1;
	return json_fail(w, w->ix.kind[k + 1] == JSON_CUT ? k + 1 : k);
}

static inline uint32_t json_skip(struct json_walk *w, uint32_t k, unsigned depth)
{
	char c = w->ix.kind[k];

	if (c == '"')
		return k + 1;
	if (c == '{' || c == '[')
		return json_skip_nested(w, k, depth);
	return json_scalar(w, k);
}

#endif
