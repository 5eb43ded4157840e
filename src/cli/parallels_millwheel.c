#include "cli/parallels.h"

#include <stddef.h>

/* MillWheel, after the paper of 2013 (Akidau et al., Proceedings of the VLDB Endowment 6). */

/* clang-format off */
static const struct parallel computations[] = {
	{ "computation", "a chain of stages",
	  "A node of the graph; `as` and `from` connect nodes.",
	  "'words | count by word | filter count > 1'", "to be or not to be\n", "to\t2\nbe\t2\n" },
	{ "key extraction", "by KEYS",
	  "Each stage says which keys it goes by; consumers of one stream may use different ones.",
	  "-i csv -o json 'as all' 'from all | count by user' 'from all | count by page'", "user,page\nann,/\nbob,/\n",
	  "{\"user\":\"ann\",\"count\":1}\n{\"user\":\"bob\",\"count\":1}\n{\"page\":\"/\",\"count\":2}\n" },
	{ "stream", "as NAME, from NAME",
	  "Any number of readers; records come to all.",
	  "'as all' 'from all | filter line =~ /o/' 'from all | map line = upper(line)'", "to\nbe\n", "to\nTO\nBE\n" },
	{ "(key, value, timestamp)", "a record, KEYS, and watermark TS",
	  "Key and time are fields of the record like any others.",
	  "-i csv 'watermark t' 'map k, v, at = epoch(@event)'", "k,v,t\na,1,5\n", "k,v,at\na,1,5\n" },
	{ "ProcessRecord", "on record { ... }",
	  "Runs for each record of a key, in the order of the input.",
	  "-i csv 'state { on record { n += v; emit k, n } } by k'", "k,v\na,1\nb,2\na,3\n", "k,n\na,1\nb,2\na,4\n" },
	{ "ProcessTimer", "on timeout [NAME] { ... }",
	  "Runs when a timer of the key is due.",
	  "-i csv --every mark 'watermark t' 'state { on record { timeout at time(t) + 10s } on timeout { emit k, silent = true; "
	  "remove } } by k'", "t,k\n1,a\n\f\n20,b\n\f\n", "k,silent\na,true\nb,true\n" },
	{ "ProduceRecord", "emit name = E, ...",
	  "Any number of records from any rule.",
	  "-i csv 'state { on record { emit k, v; if v > 1 { emit k, v = -v } } } by k'", "k,v\na,1\na,2\n", "k,v\na,1\na,2\na,-2\n" },
	{ "batched keys (exclusive access)", "by KEYS",
	  "What a key does is done one after the other, in the order of the input.",
	  "-o lines 'state { on record { seen ++= [line]; emit line = join(seen) } }'", "a\nb\n", "a\na,b\n" },
	{ "dynamic load balancing", NULL,
	  "A run is one process; key ranges do not move. Several runs may share the work by a `filter` on `hash(key, N)`.",
	  NULL, NULL, NULL },
	{ NULL },
};

static const struct parallel state_and_timers[] = {
	{ "persistent state", "state { ... } by KEYS",
	  "Named variables of a key instead of an opaque string; durable with `--checkpoint DIR`.",
	  "'to in' && strm --checkpoint job 'state n += 1 by line' -- in && echo a >>in && strm --checkpoint job 'state n += 1 by "
	  "line' -- in", "a\nb\n", "a\t1\nb\t1\na\t2\n" },
	{ "MutablePersistentState", "variables",
	  "Read and set by name; `remove` ends them.",
	  "-i csv 'state best = greatest(best, n) by k'", "k,n\na,1\na,5\na,2\n", "k,best\na,1\na,5\na,5\n" },
	{ "SetTimer, by low watermark", "timeout [NAME] at TIME",
	  "Fires when the watermark has passed TIME, in the order of time.",
	  "-i csv --every mark 'watermark t' 'state { on record { n += 1; timeout at ceil_time(time(t) + 1ns, 10s) } on timeout { emit "
	  "k, n; remove } } by k'", "t,k\n1,a\n2,a\n\f\n20,b\n\f\n", "k,n\na,2\nb,1\n" },
	{ "SetTimer, by wall time", "timeout [NAME] DUR",
	  "By the clock of the run.",
	  "--every mark -o lines 'state { on record { timeout 10s } on timeout { emit line = line ++ \" is silent\"; remove } } by "
	  "line'", "a\nb\n\f clock=+1s\nb\n\f clock=+5s\n\f clock=+6s\n", "a is silent\n" },
	{ "state garbage collection", "ttl DUR, remove, window",
	  "State of a window goes with the window; `ttl` forgets a silent key.",
	  "--every mark 'state n += 1 by line ttl 10s'", "a\n\f clock=+1s\na\n\f clock=+8s\na\n\f clock=+11s\n", "a\t1\na\t2\na\t1\n" },
	{ NULL },
};

static const struct parallel low_watermark[] = {
	{ "low watermark", "watermark TS [delay DUR]",
	  "Every stage has one: the least over its inputs and over what it still holds.",
	  "-i csv --every mark 'watermark t' 'window 10s' count 'map from = epoch(window_start), count'", "t\n1\n12\n\f\n25\n\f\n",
	  "from,count\n0,1\n10,1\n20,1\n" },
	{ "injector watermark", "watermark TS, or explicit with marks",
	  "An injector that knows better says so in marks: a form feed, then `watermark=TIME`.",
	  "-i csv --every mark 'watermark t explicit' 'window 10s' count 'select count'", "t\n1\n12\n\f watermark=10\n2\n\f\n",
	  "count\n1\n1\n" },
	{ "late records", "--late FILE, trigger ... late",
	  "Left out and counted; kept with --late; taken into account with `lateness`.",
	  "-i csv -o json --every mark 'watermark t explicit' 'window 10s' 'trigger watermark late count 1, lateness 1m' 'reduce n = "
	  "count()' 'map n, timing = @timing'", "t\n1\n\f watermark=10\n2\n\f watermark=20\n",
	  "{\"n\":1,\"timing\":\"on_time\"}\n{\"n\":2,\"timing\":\"late\"}\n" },
	{ "central authority", NULL,
	  "One process knows all its watermarks. Between processes marks carry them (`--marks | strm --every mark`).",
	  NULL, NULL, NULL },
	{ "monotonic per-key timestamps", NULL,
	  "Output may carry any time; what is behind the watermark of a later stage is late there.",
	  NULL, NULL, NULL },
	{ NULL },
};

static const struct parallel delivery[] = {
	{ "exactly-once delivery", "--checkpoint DIR",
	  "Input, state and output of a micro-batch are one commit; a crash repeats nothing in a file or a directory.",
	  "-n 'map a = 1' 'to file:in' && strm --checkpoint job --once 'to out' -- in && strm --checkpoint job --once 'to out' -- in "
	  "&& cat out", NULL, "1\n" },
	{ "duplicate suppression (record ids)", "dedup by ID",
	  "Sources that are read again do not repeat; senders that repeat are filtered by an id.",
	  "-i csv 'dedup by id'", "id,n\na,1\nb,2\na,1\n", "id,n\na,1\nb,2\n" },
	{ "strong productions", "--checkpoint DIR",
	  "What a micro-batch reads, its time and its seeds are logged before its first byte leaves, so that a re-run gives the same "
	  "bytes.",
	  "--checkpoint job --drain count", "a\nb\n", "2\n" },
	{ "weak productions", "no checkpoint, or a pipe or socket as sink",
	  "At least once into a pipe or a socket: after a crash the same micro-batch comes again, under the same `@batch`.",
	  "--every mark 'map batch = @batch, line'", "a\n\f\nb\n\f\n", "0\ta\n1\tb\n" },
	{ "idempotent user code", NULL,
	  "Nothing to switch off: there are no writes outside the commit but those of `exec` and of sinks that are pipes or sockets, "
	  "which see a micro-batch again after a crash.",
	  NULL, NULL, NULL },
	{ "sequencers, leases", "one process to a checkpoint",
	  "A second one that opens DIR ends with status 5, so that no zombie writes.",
	  "--checkpoint job 'exec strm --checkpoint job count </dev/null; echo status $?' 2>/dev/null", "a\n", "status 5\n" },
	{ NULL },
};

static const struct parallel their_examples[] = {
	{ "spike detector (Zeitgeist)", "state with a model for each key",
	  "`examples/trends` has it whole: counts per second, a model that learns, spikes and dips told. `window all` makes the model "
	  "one for all windows.",
	  "-i csv 'watermark t' 'window 1s' 'count by q' 'window all' 'state { on record { if mean != null and count > 3 * mean { emit "
	  "q, count, mean }; mean = mean == null ? count : 0.5 * mean + 0.5 * count } } by q'", "t,q\n1,a\n2,a\n3,a\n3,a\n3,a\n3,a\n",
	  "q,count,mean\na,4,1\n" },
	{ "window counter", "window D | count by KEYS",
	  "What their example writes with a timer for each window.",
	  "-i csv 'watermark t' 'window 10s' 'count by k' 'map from = epoch(window_start), k, count'", "t,k\n1,a\n2,a\n12,b\n",
	  "from,k,count\n0,a,2\n10,b,1\n" },
	{ NULL },
};

static const struct parallel_part parts[] = {
	{ "Computations", computations },
	{ "State and timers", state_and_timers },
	{ "Low watermark", low_watermark },
	{ "Delivery", delivery },
	{ "Their examples", their_examples },
	{ NULL },
};

const struct parallel_model parallels_millwheel = { "millwheel", "MillWheel", parts };
