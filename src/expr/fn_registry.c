/* The function families, strung together. A program calls few functions and binds once, so a name is found by looking at all. */
#include "base/nearest.h"
#include "expr/fn_impl.h"

static const struct fn_family *const families[] = {
	&fn_family_string, &fn_family_text,	 &fn_family_pad,     &fn_family_regex,	&fn_family_math,    &fn_family_bits,
	&fn_family_time,   &fn_family_calendar,	 &fn_family_convert, &fn_family_choose, &fn_family_special, &fn_family_list,
	&fn_family_sets,   &fn_family_list_math, &fn_family_object,  &fn_family_json,	&fn_family_cells,   &fn_family_hash,
	&fn_family_encode, &fn_family_url,	 &fn_family_ip,
};

const struct fn_def *fn_at(unsigned i)
{
	for (unsigned k = 0; k < ARRAY_LEN(families); k++) {
		if (i < families[k]->n)
			return &families[k]->defs[i];
		i -= families[k]->n;
	}
	return NULL;
}

/* Is `name` one of the blank-separated words? */
static bool among(const char *words, const char *name, size_t n)
{
	while (words && *words) {
		size_t len = strcspn(words, " ");

		if (len == n && !memcmp(words, name, n))
			return true;
		words += len;
		words += *words == ' ';
	}
	return false;
}

const struct fn_def *fn_find(const char *name)
{
	size_t n = strlen(name);

	for (unsigned k = 0; k < ARRAY_LEN(families); k++)
		for (unsigned i = 0; i < families[k]->n; i++) {
			const struct fn_def *def = &families[k]->defs[i];

			if (!strcmp(def->doc.name, name) || (def->doc.aliases && among(def->doc.aliases, name, n)))
				return def;
		}
	return NULL;
}

/* Aliases are other tools' words: only names are proposed. */
void fn_nearest(struct nearest *s)
{
	for (unsigned k = 0; k < ARRAY_LEN(families); k++)
		for (unsigned i = 0; i < families[k]->n; i++)
			nearest_offer(s, families[k]->defs[i].doc.name);
}
