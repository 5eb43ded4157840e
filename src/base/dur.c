#include "base/mem.h"
#include "base/num.h"
#include "base/time_parts.h"

struct dur_unit {
	char name[3];
	int64_t ns; /* 0: counted in months */
	int64_t months;
};

/* Largest first, as they are printed; w, mo and y are only read. */
static const struct dur_unit units[] = {
	{ "d", DAY_NS, 0 },
	{ "h", 3600 * TIME_NS, 0 },
	{ "m", 60 * TIME_NS, 0 },
	{ "s", TIME_NS, 0 },
	{ "ms", 1000000, 0 },
	{ "us", 1000, 0 },
	{ "ns", 1, 0 },
	{ "w", 7 * DAY_NS, 0 },
	{ "mo", 0, 1 },
	{ "y", 0, 12 },
};

#define UNITS_PRINTED 7

static const struct dur_unit *unit_of(const char *p, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strlen(units[i].name) == n && !memcmp(units[i].name, p, n))
			return &units[i];
	return NULL;
}

/* A number: whole, and 18 digits of fraction. */
struct amount {
	int64_t whole, fraction; /* fraction in 10^-18 */
	int has_fraction;
};

static const char *read_amount(const char *p, const char *end, struct amount *a)
{
	int64_t scale = 100000000000000000;
	const char *first = p;

	*a = (struct amount){ 0 };
	for (; p < end && time_digit(*p) < 10; p++)
		if (__builtin_mul_overflow(a->whole, (int64_t)10, &a->whole) ||
		    __builtin_add_overflow(a->whole, (int64_t)time_digit(*p), &a->whole))
			return NULL;
	if (p == first)
		return NULL;
	if (p == end || *p != '.')
		return p;
	a->has_fraction = 1;
	for (first = ++p; p < end && time_digit(*p) < 10; p++, scale /= 10)
		a->fraction += scale * (int64_t)time_digit(*p);
	return p > first ? p : NULL;
}

static int add_amount(const struct amount *a, const struct dur_unit *u, int64_t *ns, int64_t *months)
{
	int64_t v;

	if (u->months) {
		if (!months || a->has_fraction)
			return 0;
		return !__builtin_mul_overflow(a->whole, u->months, &v) && !__builtin_add_overflow(*months, v, months);
	}
	if (__builtin_mul_overflow(a->whole, u->ns, &v) || __builtin_add_overflow(*ns, v, ns))
		return 0;
	v = (int64_t)((__int128)a->fraction * u->ns / 1000000000000000000);
	return !__builtin_add_overflow(*ns, v, ns);
}

int dur_parse(const char *p, size_t n, int64_t *ns, int64_t *months)
{
	const char *end = p + n, *name;
	int neg = n > 0 && *p == '-';
	const struct dur_unit *u;
	struct amount a;

	*ns = 0;
	if (months)
		*months = 0;
	p += neg;
	if (p == end)
		return 0;
	while (p < end) {
		name = read_amount(p, end, &a);
		if (!name)
			return 0;
		for (p = name; p < end && *p >= 'a' && *p <= 'z';)
			p++;
		u = unit_of(name, (size_t)(p - name));
		if (!u || !add_amount(&a, u, ns, months))
			return 0;
	}
	if (neg) {
		*ns = -*ns;
		if (months)
			*months = -*months;
	}
	return 1;
}

const char *dur_advice(const char *p, size_t n)
{
	const char *end = p + n, *amount;
	int whole_months = 1;

	while (p < end) {
		const struct dur_unit *u;
		const char *name;

		for (amount = p; p < end && (time_digit(*p) < 10 || *p == '.');)
			p++;
		for (name = p; p < end && *p >= 'a' && *p <= 'z';)
			p++;
		u = unit_of(name, (size_t)(p - name));
		if (!u || amount == name)
			return NULL;
		whole_months &= !u->months || !memchr(amount, '.', (size_t)(name - amount));
	}
	return whole_months ? "a duration is 106751d long at most, some 292 years" : "months and years are whole numbers: 18mo for a year and a half";
}

size_t dur_format(int64_t ns, char *out)
{
	uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	char *p = out;

	if (left == 0) {
		memcpy(out, "0s", 2);
		return 2;
	}
	if (ns < 0)
		*p++ = '-';
	for (size_t i = 0; i < UNITS_PRINTED; i++) {
		uint64_t unit = (uint64_t)units[i].ns;
		size_t name_n = strlen(units[i].name);

		if (left < unit)
			continue;
		p += num_format_uint(left / unit, p);
		memcpy(p, units[i].name, name_n);
		p += name_n;
		left %= unit;
	}
	return (size_t)(p - out);
}
