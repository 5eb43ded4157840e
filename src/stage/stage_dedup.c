#include "base/time.h"
#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct buf b = { 0 };

	n->kind = PLAN_DEDUP;
	n->keeps = "every key, for the whole run";
	if (parser_accept_word(p, "by") && parser_keys(p, &n->keys, e))
		return -1;
	if (parser_accept_word(p, "within")) {
		struct pos pos = parser_pos(p);

		n->keeps = "every key, for so long in event time";
		if (parser_duration(p, "how long a key is remembered, as 10m", &n->delay_ns, NULL, e))
			return -1;
		if (n->delay_ns <= 0)
			return err_at(e, pos, "a key is remembered for longer than 0");
	}
	buf_str(&b, "dedup");
	canon_by(&b, "by", &n->keys);
	if (n->delay_ns) {
		buf_str(&b, " within ");
		buf_took(&b, dur_format(n->delay_ns, buf_room(&b, TIME_MAX)));
	}
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_dedup = {
	.doc = {
		.name = "dedup",
		.synopsis = "dedup [by KEYS] [within DUR]",
		.summary = "the first record of each key",
		.text = "Without `by` the whole record is the key. Records go on at once. Keys are kept for the whole run; behind a window for that window; where the "
			"time of a watermark is one of the keys, until the watermark passes it. `within DUR` forgets a key when the watermark has come DUR "
			"past the time of its first record; behind a window it remembers a key in that window alone. In sessions the first record of each "
			"comes when its session has ended.",
		.group = "choose",
		.params = { { "by KEYS", "keys", "the whole record", NULL, "what makes records the same" },
			    { "within DUR", "duration", "for good", "> 0", "how long a key is remembered, in event time" } },
		.examples = { { "dedup", "b\na\nb\n", "b\na\n", "as awk '!seen[$0]++'" },
			      { "-i csv 'dedup by city'", "city,n\nOslo,1\nRome,2\nOslo,3\n", "city,n\nOslo,1\nRome,2\n", NULL },
			      { "-i csv --every 1r 'watermark at delay 0s' 'dedup by id within 10s'", "at,id\n1,a\n5,a\n12,b\n13,a\n",
				"at,id\n1,a\n12,b\n13,a\n", "an event that is sent twice comes twice within seconds" } },
	},
	.words = "by within",
	.parse = parse,
};
