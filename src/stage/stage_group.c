#include "base/time.h"
#include "stage/canon.h"
#include "stage/stage_list.h"

/* collect(@record) */
static struct node *collect_records(struct arena *a, struct pos pos)
{
	struct node *call = arena_new(a, struct node), *record = arena_new(a, struct node);

	record->kind = N_SPECIAL;
	record->name = "record";
	record->name_n = 6;
	record->pos = pos;
	call->kind = N_CALL;
	call->name = "collect";
	call->name_n = 7;
	call->pos = pos;
	call->n_kids = 1;
	call->kids = arena_array(a, struct node *, 1);
	call->kids[0] = record;
	return call;
}

/* Most records of one group. */
#define GROUP_ROWS_MAX 1000000000

static int read_rows(struct parser *p, struct plan_node *n, struct err *e)
{
	struct pos pos;

	n->kind = PLAN_GROUP_ROWS;
	if (parser_uint(p, "how many rows make a group", 1, GROUP_ROWS_MAX, &n->n, e))
		return -1;
	if (!parser_accept_word(p, "rows"))
		return parser_expected(p, NULL, e);
	if (!parser_accept_word(p, "within"))
		return 0;
	pos = parser_pos(p);
	if (parser_duration(p, "how long a group may fill, as 10s", &n->delay_ns, NULL, e))
		return -1;
	return n->delay_ns > 0 ? 0 : err_at(e, pos, "a group fills for longer than 0");
}

static const char *canonical(struct arena *a, const struct plan_node *n, const char *name)
{
	struct buf b = { 0 };

	buf_str(&b, "group");
	if (n->n)
		buf_printf(&b, " %llu rows", (unsigned long long)n->n);
	if (n->delay_ns) {
		buf_str(&b, " within ");
		buf_took(&b, dur_format(n->delay_ns, buf_room(&b, TIME_MAX)));
	}
	canon_by(&b, "by", &n->keys);
	buf_str(&b, " as ");
	name_print(&b, name);
	return canon_done(a, &b);
}

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct arena *a = parser_arena(p);
	const char *name = "group";
	uint32_t len;

	n->kind = PLAN_REDUCE;
	n->keeps = "every record, by key";
	if (parser_peek_number(p) && read_rows(p, n, e))
		return -1;
	if (parser_accept_word(p, "by") && parser_keys(p, &n->keys, e))
		return -1;
	if (parser_accept_word(p, "as") && !(name = parser_name(p, "the name of the list", &len, e)))
		return -1;
	n->items.n = 1;
	n->items.at = arena_array(a, struct item, 1);
	n->items.at[0] = (struct item){ .name = name, .pos = n->pos, .expr = collect_records(a, n->pos) };
	n->canonical = canonical(a, n, name);
	return 0;
}

const struct stage_def stage_group = {
	.doc = {
		.name = "group",
		.synopsis = "group [N rows [within DUR]] [by KEYS] [as NAME]",
		.summary = "all records of a key as one list, or lists of N",
		.text = "The same as `reduce group = collect(@record) by KEYS`. `group.field` is then the list of that field.\n\n"
			"With `N rows` the records of a key go into groups of N, as they come. A group comes out when it is full; the rest when its window ends, if a "
			"window stands in front, else at the end of the run. `within DUR` lets no group fill for longer: DUR of processing time after its first record "
			"it comes out as it is. In a window of event time a record is late when the watermark has passed the window's end.",
		.group = "aggregate",
		.params = { { "N rows", "number", NULL, "1..1000000000", "how many records make a group" },
			    { "within DUR", "duration", "for good", "> 0", "how long a group may fill" },
			    { "by KEYS", "keys", "all records", NULL, "one list for each combination of these" },
			    { "as NAME", "name", "group", NULL, "the field of the list" } },
		.examples = {
			{ "-i json -o json 'group by k' 'map k, vs = group.v'", "{\"k\":\"a\",\"v\":1}\n{\"k\":\"a\",\"v\":2}\n",
			  "{\"k\":\"a\",\"vs\":[1,2]}\n", NULL },
			{ "-o json 'group 2 rows' 'map lines = group.line'", "a\nb\nc\n", "{\"lines\":[\"a\",\"b\"]}\n{\"lines\":[\"c\"]}\n", "two by two" },
			{ "-i json -o json --every mark 'group 3 rows within 5s by k' 'map k, vs = group.v'",
			  "{\"k\":\"a\",\"v\":1}\n\f clock=+2s\n{\"k\":\"a\",\"v\":2}\n\f clock=+6s\n{\"k\":\"a\",\"v\":3}\n\f\n",
			  "{\"k\":\"a\",\"vs\":[1,2]}\n{\"k\":\"a\",\"vs\":[3]}\n", "what is there after five seconds" },
		},
	},
	.words = "rows within by as",
	.parse = parse,
};
