#include "stage/join_keys.h"

static int parse_key(struct parser *p, struct join_key *k, struct err *e)
{
	k->side[0] = parser_expr(p, e);
	if (!k->side[0])
		return -1;
	k->null_is_key = parser_accept(p, "<=>");
	k->side[1] = k->null_is_key || parser_accept(p, "=") ? parser_expr(p, e) : k->side[0];
	return k->side[1] ? 0 : -1;
}

int parse_join_keys(struct parser *p, struct join_key **keys, uint32_t *n, struct err *e)
{
	do {
		struct join_key *all = arena_array(parser_arena(p), struct join_key, *n + 1);

		if (*n)
			memcpy(all, *keys, *n * sizeof *all);
		if (parse_key(p, &all[*n], e))
			return -1;
		*keys = all;
		++*n;
	} while (parser_accept(p, ","));
	return 0;
}

void canon_join_keys(struct buf *b, const struct join_key *keys, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		buf_str(b, i ? ", " : " on ");
		node_print(b, keys[i].side[0]);
		if (keys[i].side[1] == keys[i].side[0])
			continue;
		buf_str(b, keys[i].null_is_key ? " <=> " : " = ");
		node_print(b, keys[i].side[1]);
	}
}
