#include "base/time.h"
#include "stage/canon.h"
#include "stage/stage_list.h"

static int parse(struct parser *p, struct plan_node *n, struct err *e)
{
	struct pos pos = parser_pos(p);
	struct buf b = { 0 };

	n->kind = PLAN_ABSENT;
	if (parser_duration(p, "how long a key may be silent, as 10m", &n->delay_ns, NULL, e))
		return -1;
	if (n->delay_ns <= 0)
		return err_at(e, pos, "a key may be silent for longer than 0");
	if (parser_accept_word(p, "by") && parser_keys(p, &n->keys, e))
		return -1;
	buf_str(&b, "absent ");
	buf_took(&b, dur_format(n->delay_ns, buf_room(&b, TIME_MAX)));
	canon_by(&b, "by", &n->keys);
	n->canonical = canon_done(parser_arena(p), &b);
	return 0;
}

const struct stage_def stage_absent = {
	.doc = {
		.name = "absent",
		.synopsis = "absent DUR [by KEYS]",
		.summary = "a record for each key that has fallen silent",
		.text = "When no record of a key has come for longer than DUR, a record comes out, once until the key speaks again: the keys, `last_seen`, the time of "
			"its last record, and `silent_since`, DUR later, which is its event time. The records themselves do not pass. Without `by` it is the silence of "
			"the whole stream.\n\n"
			"Behind a watermark the time is event time: a key is silent when the watermark is more than DUR past its last record, and a silence that a later "
			"record ended is told too. At the end of the input the time is that of the last record of all. A record that is more than DUR behind the "
			"watermark is late. Without a watermark the time is that of the clock, looked at in each micro-batch.\n\n"
			"Kept in memory are the keys heard of within DUR.",
		.group = "time",
		.params = { { "DUR", "duration", NULL, "> 0", "how long a key may be silent" }, { "by KEYS", "keys", "the whole stream", NULL, "who may fall silent" } },
		.examples = {
			{ "-i csv -o csv 'watermark at' 'absent 10s by host' 'set last_seen = epoch(last_seen)' 'drop silent_since'",
			  "at,host\n1,a\n2,b\n9,a\n15,a\n30,c\n", "host,last_seen\nb,2\na,15\n", "c was there at the end" },
			{ "-o csv --every mark 'absent 1m' 'map at = epoch(@time), last = epoch(last_seen)'",
			  "a\n\f clock=+10s\n\f clock=+30s\n\f clock=+31s\nb\n\f\n", "at,last\n71,10\n", "nothing at all came for a minute of the clock" },
		},
	},
	.words = "by",
	.parse = parse,
};
