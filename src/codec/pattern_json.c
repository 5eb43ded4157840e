/* `parse json`: each text is one JSON object. */
#include "codec/pattern_impl.h"

#include "data/json_value.h"

/* A member by its whole name, else by the path that the dots make of it. */
static const struct value *member(const struct value *v, const char *name, size_t n)
{
	while (v && v->type == T_OBJECT) {
		const struct value *whole = value_get(v, name, n);
		const char *dot = memchr(name, '.', n);

		if (whole || !dot)
			return whole;
		v = value_get(v, name, (size_t)(dot - name));
		n -= (size_t)(dot + 1 - name);
		name = dot + 1;
	}
	return NULL;
}

static const char *json_row(struct pattern *p, const char *s, size_t n, struct value *slot)
{
	const char *why = NULL;
	struct value v;

	if (value_from_json(s, n, p->arena, &v, &why))
		return why;
	if (v.type != T_OBJECT)
		return "not a JSON object";
	if (!p->need)
		slot[0] = v;
	for (uint32_t k = 0; p->need && k < p->n_need; k++) {
		const struct value *m = member(&v, p->need[k], strlen(p->need[k]));

		slot[k] = m ? *m : v_null();
	}
	return NULL;
}

static struct pattern *json_open(void) { return xcalloc(1, sizeof(struct pattern)); }

const struct pattern_def pattern_json = {
	.doc = {
		.name = "json",
		.synopsis = "parse json [of FIELD]",
		.summary = "text that is a JSON object",
		.group = "patterns",
		.text = "Fields: those of the object, with their JSON types. Text that is not one JSON object does not parse.",
		.examples = {
			{ "-o json 'parse json' 'select user.id, ok'", "{\"user\": {\"id\": 7}, \"ok\": true}\n", "{\"id\":7,\"ok\":true}\n",
			  "a path into the object" },
		},
	},
	.open = json_open,
	.row = json_row,
};
