#include "op/event_time.h"

#include "base/num_short.h"

/* ---- the texts that most times are, without a call ---- */

/* The hour of the text seen last, "2024-03-30T23:": times come in order, so most differ in minutes and seconds alone. */
struct hour {
	uint64_t text[2]; /* its first eight bytes, its last eight */
	int64_t ns;
	bool known;
};

#define HOUR_CHARS 14
#define TWO_DIGITS(p) ((uint32_t)(uint8_t)((p)[0] - '0') * 10 + (uint32_t)(uint8_t)((p)[1] - '0'))
#define TWO_ARE_DIGITS(p) ((uint8_t)((p)[0] - '0') < 10 && (uint8_t)((p)[1] - '0') < 10)

#define EPOCH_DIGITS 10
#define BEYOND_TIME 92233720 /* hundreds of seconds: not all of these are in the range of time */

/* Digits behind the dot, at most nine. */
static bool read_fraction(const char *p, uint32_t n, int64_t *ns)
{
	static const int64_t unit[] = { 0, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1 };
	int64_t v = 0;

	if (!n || n >= ARRAY_LEN(unit))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		unsigned d = (unsigned)(uint8_t)(p[i] - '0');

		if (d > 9)
			return false;
		v = v * 10 + d;
	}
	*ns = v * unit[n];
	return true;
}

/* Seconds since the epoch as most logs have them: ten digits, with a fraction or none. n >= EPOCH_DIGITS. */
static inline bool read_seconds(const char *p, uint32_t n, int64_t *t)
{
	uint64_t w = num_load64(p) ^ NUM_ZEROS, tens = (uint64_t)(uint8_t)(p[8] - '0'), ones = (uint64_t)(uint8_t)(p[9] - '0');
	int64_t ns = 0;

	if (num_not_digits(w) || tens > 9 || ones > 9 || num_join_digits(w) >= BEYOND_TIME)
		return false;
	if (n > EPOCH_DIGITS && (p[EPOCH_DIGITS] != '.' || !read_fraction(p + EPOCH_DIGITS + 1, n - EPOCH_DIGITS - 1, &ns)))
		return false;
	*t = (int64_t)(num_join_digits(w) * 100 + tens * 10 + ones) * TIME_NS + ns;
	return true;
}

/* "2024-03-30T23:59:58Z"; without Z it is UTC too where no zone is given. */
static inline bool is_utc_text(const char *p, uint32_t n, const struct fn_env *env)
{
	return n == 20 ? p[19] == 'Z' : n == 19 && !env->time.zone;
}

/* Is it of the hour known? */
static inline bool read_within(const struct hour *h, const char *p, uint32_t n, const struct fn_env *env, int64_t *t)
{
	uint32_t minutes, seconds;

	if (!is_utc_text(p, n, env) || num_load64(p) != h->text[0] || num_load64(p + HOUR_CHARS - 8) != h->text[1] || !h->known)
		return false;
	minutes = TWO_DIGITS(p + 14);
	seconds = TWO_DIGITS(p + 17);
	if (!TWO_ARE_DIGITS(p + 14) || !TWO_ARE_DIGITS(p + 17) || p[16] != ':' || minutes > 59 || seconds > 59)
		return false;
	*t = h->ns + (int64_t)(minutes * 60 + seconds) * TIME_NS;
	return true;
}

/* Of a text that is the time t. */
static void know_hour(struct hour *h, const char *p, uint32_t n, int64_t t, const struct fn_env *env)
{
	if (!is_utc_text(p, n, env) || p[4] != '-' || p[13] != ':' || p[16] != ':' || !TWO_ARE_DIGITS(p + 14) || !TWO_ARE_DIGITS(p + 17))
		return;
	h->known = TWO_DIGITS(p + 17) < 60;
	h->text[0] = num_load64(p);
	h->text[1] = num_load64(p + HOUR_CHARS - 8);
	h->ns = t - (int64_t)(TWO_DIGITS(p + 14) * 60 + TWO_DIGITS(p + 17)) * TIME_NS;
}

static bool read_text(struct hour *h, const struct value *v, const struct fn_env *env, int64_t *t)
{
	if (read_within(h, v->s, v->n, env, t))
		return true;
	if (!time_parse(v->s, v->n, &env->time, t))
		return false;
	know_hour(h, v->s, v->n, *t, env);
	return true;
}

/* ---- any value ---- */

bool value_is_time(const struct value *v, const struct fn_env *env, int64_t *t)
{
	struct num n;

	if (v->type == T_TIME) {
		*t = v->i;
		return true;
	}
	if (type_is_bytes(v->type))
		return time_parse(v->s, v->n, &env->time, t);
	return value_num(v, &n) == NUM_INT ? time_from_int(n.i, t) : n.kind == NUM_FLOAT && time_from_double(n.f, t);
}

static struct column one_time(const struct column *c, const struct batch *b, const struct fn_env *env, uint64_t *unusable)
{
	struct value v = column_get(c, 0);
	int64_t t;

	if (value_is_time(&v, env, &t)) {
		v = v_time(t);
	} else {
		*unusable += b->n_sel;
		v = v_null();
	}
	return column_const(b->arena, &v);
}

/* Of two digits as text, the first in the low byte: false when they are others. */
static inline bool read_two(uint32_t text, uint32_t *n)
{
	uint32_t x = text ^ 0x3030;

	*n = (x * 10 + (x >> 8)) & 0xff;
	return !(((x + 0x7676) | x) & 0x8080);
}

/* What stands behind the first ten digits, as nanoseconds: nothing, or a dot and three digits. */
static inline bool read_millis(const char *p, uint32_t n, int64_t *ns)
{
	uint32_t a, b, c;

	*ns = 0;
	if (n == EPOCH_DIGITS)
		return true;
	if (n != EPOCH_DIGITS + 4 || p[EPOCH_DIGITS] != '.')
		return false;
	a = (uint32_t)(uint8_t)p[11] - '0';
	b = (uint32_t)(uint8_t)p[12] - '0';
	c = (uint32_t)(uint8_t)p[13] - '0';
	*ns = (int64_t)(a * 100 + b * 10 + c) * 1000000;
	return a <= 9 && b <= 9 && c <= 9;
}

/* Rows from i on that are seconds since the epoch; returns the first that is not. Neighbours mostly have their first eight digits in common. */
static uint32_t read_run(const struct value *restrict v, int64_t *restrict out, uint32_t i, uint32_t n)
{
	uint64_t known = 0; /* the digits, as text; 0: none */
	int64_t hundreds = 0, ns;
	uint32_t seconds;

	for (; i < n && v[i].n >= EPOCH_DIGITS && v[i].type == T_TEXT; i++) {
		const char *p = v[i].s;

		if (num_load64(p) == known && read_two(num_load16(p + 8), &seconds) && read_millis(p, v[i].n, &ns)) {
			out[i] = hundreds + seconds * TIME_NS + ns;
			continue;
		}
		if (!read_seconds(p, v[i].n, &out[i]))
			break;
		known = num_load64(p);
		hundreds = out[i] - out[i] % (100 * TIME_NS);
	}
	return i;
}

/* The same for those of the hour known. */
static uint32_t read_hour_run(const struct value *restrict v, int64_t *restrict out, uint32_t i, uint32_t n, const struct hour *h, const struct fn_env *env)
{
	while (i < n && v[i].type == T_TEXT && read_within(h, v[i].s, v[i].n, env, &out[i]))
		i++;
	return i;
}

/* One row; what is no time is null. */
static void read_row(struct column *out, const struct column *c, const struct batch *b, uint32_t row, struct hour *h, const struct fn_env *env)
{
	struct value v = column_get(c, row);

	if (type_is_bytes(v.type) ? read_text(h, &v, env, &out->i[row]) : value_is_time(&v, env, &out->i[row]))
		return;
	if (!out->valid)
		out->valid = bitmap_make(b->arena, b->n_rows);
	bit_clear(out->valid, row);
}

struct column event_times(const struct column *c, const struct batch *b, const struct fn_env *env, uint64_t *unusable)
{
	struct column out;
	struct hour hour = { 0 };
	uint64_t bad = 0, *counted = unusable ? unusable : &bad;
	bool runs = c->type == T_TEXT && !b->sel;

	if (c->type == T_TIME) {
		if (c->valid)
			BATCH_EACH(b->sel, b->n_sel, i) *counted += column_null(c, i);
		return *c;
	}
	if (c->constant)
		return one_time(c, b, env, counted);
	out = column_make(b->arena, T_TIME, b->n_rows);
	for (uint32_t k = 0; k < b->n_sel; k++) {
		if (runs)
			k = read_hour_run(c->v, out.i, read_run(c->v, out.i, k, b->n_sel), b->n_sel, &hour, env);
		if (k == b->n_sel)
			break;
		read_row(&out, c, b, batch_row(b, k), &hour, env);
		*counted += out.valid && !bit_get(out.valid, batch_row(b, k));
	}
	out.has_null = out.valid != NULL;
	return out;
}
