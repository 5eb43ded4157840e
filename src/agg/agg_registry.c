#include "agg/agg.h"

#include <stdbool.h>

#include "agg/families.h"
#include "base/nearest.h"

static const struct agg_def *const families[] = {
	agg_family_count, agg_family_sum,  agg_family_extreme, agg_family_var,	     agg_family_quantile, agg_family_order,
	agg_family_set,	  agg_family_list, agg_family_bool,    agg_family_histogram, agg_family_sketch,	  agg_family_user,
};

const struct agg_def *agg_at(unsigned i)
{
	for (unsigned f = 0; f < ARRAY_LEN(families); f++)
		for (const struct agg_def *d = families[f]; d->doc.name; d++)
			if (!i--)
				return d;
	return NULL;
}

/* Is name one of the blank-separated words? */
static bool has_word(const char *words, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = words; p && *p; p += strcspn(p, " "), p += strspn(p, " "))
		if (strcspn(p, " ") == n && !memcmp(p, name, n))
			return true;
	return false;
}

/* "95" is 0.95, "999" 0.999; 1..99, 999, 9999 and so on. */
static bool percent(const char *digits, double *p)
{
	size_t n = strlen(digits);
	double scale = n < 2 ? 100 : 1, v = 0;

	if (!n || n > 15 || digits[0] == '0' || strspn(digits, "0123456789") != n)
		return false;
	if (n > 2 && strspn(digits, "9") != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		v = v * 10 + (digits[i] - '0');
		scale *= n < 2 ? 1 : 10;
	}
	*p = v / scale;
	return true;
}

static const struct agg_def *find_name(const char *name)
{
	const struct agg_def *d;

	for (unsigned i = 0; (d = agg_at(i)) != NULL; i++)
		if (!strcmp(d->doc.name, name) || has_word(d->doc.aliases, name))
			return d;
	return NULL;
}

/* pNN and approx_pNN stand for names, they are none. */
static bool is_pattern(const char *name)
{
	size_t n = strlen(name);

	return n >= 3 && !strcmp(name + n - 3, "pNN");
}

const struct agg_def *agg_find(const char *name, double *param)
{
	static const char approx[] = "approx_";
	bool is_approx = !strncmp(name, approx, sizeof approx - 1);
	const char *rest = name + (is_approx ? sizeof approx - 1 : 0);
	double p;

	if (rest[0] == 'p' && percent(rest + 1, &p)) {
		if (param)
			*param = p;
		return find_name(is_approx ? "approx_pNN" : "pNN");
	}
	return is_pattern(name) ? NULL : find_name(name);
}

void agg_nearest(struct nearest *s)
{
	const struct agg_def *d;

	for (unsigned i = 0; (d = agg_at(i)) != NULL; i++)
		if (!is_pattern(d->doc.name))
			nearest_offer(s, d->doc.name);
}
