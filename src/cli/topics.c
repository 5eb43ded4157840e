#include "cli/topics.h"

#include "base/mem.h"

static const struct doc topics[] = {
	{
		.name = "program",
		.aliases = "language",
		.synopsis = "Programs",
		.summary = "how stages are written down",
		.group = "topics",
		.text =
			"A program is a list of stages; records go through them in order. A stage ends at the end of an argument, at a `|`, or at the "
			"end of a line, so these are the same program:\n\n"
			"    strm words 'count by word' 'top 10 by count' -- book.txt\n"
			"    strm 'words | count by word | top 10 by count' -- book.txt\n"
			"    strm -f top.strm book.txt     # one stage a line in top.strm\n\n"
			"`--explain` prints the program as it was understood, with defaults made explicit, and runs nothing.\n\n"
			"Arguments are stages up to `--`, files behind it. With `-f` the program is in a file and all arguments are files to read. "
			"Without any file strm reads standard input. Options may stand anywhere before `--`.\n\n"
			"Inside brackets a line break does not end a stage, and a backslash at the end of a line joins it with the next. `#` begins "
			"a comment. In a program file a line that begins with `--` is a long option, the rest of the line its value. A file that "
			"begins with\n\n"
			"    #!/usr/bin/env -S strm -f\n\n"
			"is a command once it is executable: `./top.strm book.txt`.\n\n"
			"`-v name=value` makes `$name` in expressions. This is how shell variables get into a program without quoting accidents; the "
			"value is text that may look like a number, as a field of CSV is.\n\n"
			"No word is reserved. A stage's word counts only where a stage begins, a word like `by` only where an operator could stand. "
			"So `count by by` and `filter count > 5` are fine, and fields may be called `from`, `top` or `last`. Where an operand may "
			"stand, `true`, `false`, `null` and `not` are no fields; any name can be written `[\"null\"]`.\n\n"
			"A program in shell quotes: put each stage in single quotes and text inside it in double quotes.",
		.examples = {
			{ "'words | count by word | top 1 by count'", "to be or not to be\n", "to\t2\n", "three stages in one argument" },
			{ "-v least=2 words 'count by word' 'filter count >= $least'", "to be or not to be\n", "to\t2\nbe\t2\n",
			  "a value from outside" },
		},
	},
	{
		.name = "expressions",
		.aliases = "operators glob in and or not ? ?: ?? ++ // ** % == != =~ !~ && || regex",
		.synopsis = "Expressions",
		.summary = "operators, fields, calls, lists",
		.group = "topics",
		.text =
			"Operators, loosest first; those of one line bind alike:\n\n"
			"    a ? b : c             b if a is true, else c\n"
			"    ??                    the right side if the left one is null\n"
			"    || or\n"
			"    && and\n"
			"    not\n"
			"    == != < <= > >=       comparisons; they do not chain\n"
			"    =~ !~                 regular expression found, not found\n"
			"    glob                  shell pattern matches: path glob \"/img/*.png\"\n"
			"    in                    element of a list, name in an object\n"
			"    ++                    texts joined, lists joined\n"
			"    + -\n"
			"    * / // %              // divides and rounds down, % is its remainder\n"
			"    - !                   of one operand\n"
			"    **                    power, from the right\n"
			"    a.b  a[0]  f(x)\n\n"
			"A field is its name. `user.id` is the field of exactly that name, else the field `id` of the object `user`. `tags[0]` is the first "
			"element of a list, `tags[-1]` the last; `list.name` of a list of objects is the list of that field. A name with blanks or "
			"other odd characters is written `[\"odd name\"]`. `$1` is the field 1 of a format whose fields have numbers.\n\n"
			"Text stands in double or single quotes, with the escapes `\\n \\t \\r \\0 \\\\ \\\" \\' \\/ \\xHH \\uXXXX \\u{...}`. "
			"Numbers are `42`, `1.5`, `1e-3`; sizes `64K`, `10M`, `2G` (powers of 1024); durations `250ms`, `1h30m`, `7d`. A list is `[1, 2]` "
			"(a list of one text `[\"a\",]`), an object `{a: 1, \"odd name\": 2}`; `{a, b}` takes fields of these names.\n\n"
			"A regular expression stands between slashes, `/error/i`, with the flags i (ignore case), m (lines), s (dot takes newlines) and x "
			"(blanks and comments allowed). The syntax is PCRE2's.\n\n"
			"A name directly before `(` is a call: `strm help functions` lists them. `each(x, LIST, E)` works E out for each element, "
			"`keep(x, LIST, E)` chooses elements; `x` is any name, and hides a field of that name.\n\n"
			"`=` stands only behind the name that gets a value (`map total = price * n`); equality is `==`.",
		.examples = {
			{ "-n -o json 'map a = 7 // 2, b = -7 // 2, c = -7 % 3, d = 2 ** 10'", NULL, "{\"a\":3,\"b\":-4,\"c\":2,\"d\":1024}\n",
			  "whole numbers" },
			{ "-i json -o json 'map first = tags[0], n = items.n, big = keep(i, items.n, i > 1)'",
			  "{\"tags\":[\"a\",\"b\"],\"items\":[{\"n\":1},{\"n\":2}]}\n", "{\"first\":\"a\",\"n\":[1,2],\"big\":[2]}\n",
			  "into nested records" },
		},
	},
	{
		.name = "values",
		.aliases = "types numbers text",
		.synopsis = "Values",
		.summary = "types, text that looks like a number, equality",
		.group = "topics",
		.text =
			"A value is null, a boolean, a whole number (64 bits), a float (64 bits), text (bytes, UTF-8 by custom), a time, a duration, a "
			"list or an object.\n\n"
			"Text formats carry no types. A field of csv, tsv, logfmt, columns, lines, or one made by `parse`, that looks like a number is "
			"one wherever a number is wanted: in arithmetic, in comparisons with numbers, in `sum`, in `sort`. Where it is only passed "
			"on it keeps its spelling, so `007`, `1.50` and 64-bit identifiers come out as they went in. Literals in quotes and results "
			"of text functions are text and nothing else; `number(x)` converts.\n\n"
			"`==` compares numbers when both sides are or look like numbers, otherwise text by bytes: a field spelled `007` equals 7 and "
			"`\"007\"`, but not `\"7\"`. A quoted literal equals a number only if it is spelled as that is printed.\n\n"
			"Whole numbers are exact; what does not fit into 64 bits becomes a float. `/` gives a float unless the division is exact. "
			"`sum`, `avg` and `var` do not depend on the order of the records: they add exactly and round once, at the end.\n\n"
			"Floats print in the shortest form that reads back the same; `--ofmt` changes that. In JSON, NaN and infinity become null and "
			"are counted. A field of a text format is written to JSON as a number if it is spelled like a JSON number (`007` is not).\n\n"
			"`--schema 'id:int, price:float, at:time'` gives input fields fixed types; a record with a value that does not convert is a bad "
			"record.\n\n"
			"Lists compare element by element.",
		.examples = {
			{ "-i csv -o csv 'set same = a == b, twice = a * 2'", "a,b\n1.50,1.5\n007,7\n",
			  "a,b,same,twice\n1.50,1.5,true,3\n007,7,true,14\n", "spelling is kept, value counts" },
			{ "-n -o json 'map a = 6 / 2, b = 7 / 2, c = 9223372036854775807 + 1'", NULL,
			  "{\"a\":3,\"b\":3.5,\"c\":9223372036854776000}\n", NULL },
		},
	},
	{
		.name = "nulls",
		.aliases = "null missing",
		.synopsis = "Null",
		.summary = "missing fields, failures, what null does",
		.group = "topics",
		.text =
			"A field that a record lacks is null, and so is an unquoted empty field of csv.\n\n"
			"Null goes through operators and functions: if x is null, so are `x + 1`, `upper(x)` and `x == x`. `x == null` asks, as `is_null(x)` does; `x ?? 0` "
			"gives another value. Null `and` false is false, null `or` true is true. `filter` leaves records out whose condition is "
			"null, and the closing line counts them. Aggregates skip nulls; `count()` counts records, `count(x)` those where x is neither "
			"null nor false.\n\n"
			"What cannot be worked out is null too: a text that is no number in arithmetic, a division by zero, `log(-1)`. Each stage counts "
			"such failures and reports the first with its place.\n\n"
			"A field that was null or missing in every record is reported at the end: most likely its name is misspelled.",
		.examples = {
			{ "-i csv 'map a = n + 1, b = n ?? 0, c = is_null(n)'", "id,n\n1,5\n2,\n", "a,b,c\n6,5,false\n,0,true\n", NULL },
		},
	},
	{
		.name = "keys",
		.aliases = "order by per",
		.synopsis = "Keys and order",
		.summary = "what is the same key, and in which order things sort",
		.group = "topics",
		.text =
			"Behind `by` stands a list of keys: fields, paths or `name = E`. A path is called by its last component, any other expression "
			"needs a name: `count by host, hour = trunc_time(time, \"hour\")`.\n\n"
			"Texts are the same key if their bytes are, numbers if their values are. A text is the same key as a number only if it is "
			"spelled as that number is printed: 1.5 and \"1.5\" are one key, \"1.50\" is another. Null is a key of its own; -0 is 0; all NaN are "
			"one key.\n\n"
			"Results come in the order in which their keys first appeared, and hold the keys first, then the aggregates.\n\n"
			"`sort` and `top` order booleans before numbers, then times, durations, text by bytes, lists and objects. Text that looks like a "
			"number is ordered as one. NaN is the last of the numbers. Null is last in either direction. What is equal stays in the order "
			"it came.",
		.examples = {
			{ "-i csv 'count by day = left(at, 10)'", "at,n\n2024-05-01T10:00,1\n2024-05-01T11:00,2\n2024-05-02T09:00,3\n",
			  "day,count\n2024-05-01,2\n2024-05-02,1\n", "a key that is worked out" },
		},
	},
	{
		.name = "times",
		.aliases = "time-formats zones durations",
		.synopsis = "Time",
		.summary = "instants, zones and durations: read, reckoned with and printed",
		.group = "topics",
		.text =
			"A time is an instant with nanoseconds, from 1678 to 2261. Time functions take what logs and data have: RFC 3339 "
			"(`2015-05-17T10:05:03.25+02:00`, also with a blank in place of the T, without seconds, or a date alone), seconds, milliseconds, "
			"microseconds or nanoseconds since 1970 told apart by their magnitude, web server logs (`17/May/2015:10:05:03 +0000`), syslog "
			"(`Jun 14 15:16:01`, in the year that puts it at most a day ahead of the clock) and mail dates. `time(x, \"%d.%m.%Y %H:%M\")` "
			"reads any other format; `time(x)` makes a time of a text or number.\n\n"
			"A text without an offset is in UTC, or in the zone of `--tz`. Zones are names of tzdata (`Europe/Oslo`) or offsets (`+02:00`). "
			"The environment variable TZ and the locale change nothing.\n\n"
			"Times print as RFC 3339 in UTC with as much fraction as they have. `--times epoch`, `--times epoch_ms` or `--times FORMAT` "
			"(strftime) prints all of them otherwise, `strftime(t, FORMAT)` one.\n\n"
			"A duration is written with units: `ns us ms s m h d w`, as in `1h30m` or `2.5s`; a day is 24 hours. Time minus time is a "
			"duration, time plus duration a time, duration divided by duration a number. `trunc_time(t, \"hour\")` is the beginning of the hour.",
		.examples = {
			{ "-n 'map t = time(\"17/May/2015:10:05:03 +0200\") + 90m'", NULL, "2015-05-17T09:35:03Z\n", NULL },
			{ "--tz Europe/Oslo --times '%d.%m.%Y %H:%M' -n 'map t = time(1431857103)'", NULL, "17.05.2015 12:05\n", NULL },
		},
	},
	{
		.name = "records",
		.aliases = "bad ledger defaults",
		.synopsis = "Input and output",
		.summary = "what is read and written by default, bad records, the closing line",
		.group = "topics",
		.text =
			"The input format is that of `-i`; without it the name of the first file decides (`a.csv`, `b.ndjson.gz`), else each line is a "
			"record with the one field `line`. Compressed input is recognised by its content.\n\n"
			"The output format is that of `-o`. Without it lines that were only chosen go out as lines, their bytes untouched; csv, tsv, json "
			"and logfmt stay what they are; all else is an aligned table on a terminal and TSV without a header line on a pipe or in a "
			"file. A JSON record that no stage changed goes out as it was read.\n\n"
			"The columns of csv, tsv and table are those of the last stage that names them, else those of the first record. Values of fields "
			"that appear later have no column: they are left out, counted and reported.\n\n"
			"A record that does not parse is a bad record: the first three are shown with file and line, all are counted, and with `--bad "
			"FILE` kept with source, line and reason. The records around it are not lost. The exit status is then 4. `--strict` ends the run "
			"at the first one. A record longer than `--max-record` is bad too.\n\n"
			"When something was bad, or filtered because a condition was null, a closing line on standard error says for each stage where "
			"its records went. `-q` silences it. Standard output carries records only.",
		.examples = {
			{ "-i csv 'count by city' -q", "city,n\nOslo,1\nRome\nOslo,2\n", "city,count\nOslo,2\n", "a record with too few fields" },
		},
	},
	{
		.name = "batches",
		.aliases = "micro-batches microbatches clock",
		.synopsis = "Micro-batches",
		.summary = "how the input is cut, and what happens at a cut",
		.group = "topics",
		.text =
			"Input is worked on in micro-batches. In each, what has come is read and goes through the stages, the watermark moves on, windows "
			"that it has passed come out, sinks get what there is. `@batch` is its number, from 0; `@time` its time, the same for all its "
			"records.\n\n"
			"`--every 10s` ends one every ten seconds, `--every 1000r` after so many records, `--every eof` at the end of the input, `--every "
			"mark` at a mark. Without `--every`:\n\n"
			"    1s          where an input is live: a socket, directory, command ...\n"
			"    eof         where an aggregate or order has no window of event time\n"
			"    8 MiB       else; of a pipe, what has come by a second of silence\n\n"
			"Stages without a window see one micro-batch: `count` counts it, `sort` orders it, `join` finds pairs in it. `window all` makes "
			"that the whole stream. dedup, state, limit and skip work on the whole stream. Records that only go through are printed as "
			"they come.\n\n"
			"Processing time is the clock's, with `--replay FIELD` that of the data: a recording runs as it happened, as fast as it can be "
			"read. Several inputs are read one after the other, not merged by their times.\n\n"
			"A mark is a line of a form feed, alone or followed by words `clock=TIME`, `clock=+10s`, `watermark=TIME` and `watermark.NAME=TIME`. "
			"With marks the clock stands, at 1970 first, and only they move it: the clock before the micro-batch runs, the watermark (for "
			"`watermark TS explicit`) when its records have been seen. So tests of anything that goes by time are text. `--marks` writes such "
			"marks behind each micro-batch of the output, for `strm ... | strm --every mark ...`.",
		.examples = {
			{ "--every 2r count", "a\nb\nc\n", "2\n1\n", "two records each" },
			{ "--every mark 'map batch = @batch, at = epoch(@time), line'", "a\n\f clock=+10s\nb\nc\n\f clock=+5s\n", "0\t10\ta\n1\t15\tb\n1\t15\tc\n",
			  "marks" },
			{ "-i csv -o csv --replay t --every 10s 'count by page'", "t,page\n1,a\n2,a\n12,b\n", "page,count\na,2\nb,1\n", "the clock of the data" },
		},
	},
	{
		.name = "event-time",
		.aliases = "windowing panes late",
		.synopsis = "Windows and event time",
		.summary = "watermark, window, trigger and --mode together",
		.group = "topics",
		.text =
			"Four questions. What is worked out: the stages. Where in time: `watermark` and `window`. When it comes out: `trigger`, or `--mode`. How "
			"later answers go with earlier ones: `accumulating`, `discarding`, `retracting`.\n\n"
			"    watermark ts delay 10s      ts is when it happened; it may be 10s late\n"
			"    window 10m                  ten minutes at a time\n"
			"    window 10m every 5m         a new one every five: a record is in two\n"
			"    window 1d tz Europe/Oslo    days of the calendar there\n"
			"    window session 5m           until a key is silent for five minutes\n"
			"    window 100 rows             a hundred records of a key\n"
			"    window all                  the whole stream\n\n"
			"A window holds for the stages behind it. An aggregate gives each key one result for each window, with window_start and window_end; "
			"stages behind it see results, whose time is the end of their window, and may put them into larger windows. Without an aggregate the "
			"records themselves go on, one copy for each of their windows. Without a watermark, and without `on`, a window is of processing "
			"time.\n\n"
			"The watermark is the largest time seen less the delay, of several inputs the least. When it passes the end of a window, the window is "
			"final. Records for it that come later are late: counted, kept with `--late FILE`, and taken into account all the same where the "
			"trigger says `lateness D`. At the end of the input all windows close.\n\n"
			"    --mode append     each window once, when final: the watermark's default\n"
			"    --mode update     the groups that changed: the default of window all\n"
			"    --mode complete   all groups after each micro-batch\n\n"
			"`trigger` says more than a mode does: `trigger watermark early every 1m late count 1 lateness 1h` answers each minute, on time, and "
			"for every late record. `@timing` tells these panes apart. What waits for which watermark, SIGUSR1 tells while strm runs.",
		.examples = {
			{ "-i csv -o csv --every mark --mode update 'watermark t delay 5s' 'window 10s' count 'map from = epoch(window_start), count'",
			  "t\n1\n4\n\f\n12\n3\n\f\n", "from,count\n0,2\n10,1\n0,3\n", "the groups that changed" },
			{ "-i csv -o csv 'watermark t' 'window 10s' 'count by k' 'window 20s' 'top 1 by count' 'select k, count'",
			  "t,k\n1,a\n2,a\n3,b\n15,b\n", "k,count\na,2\n", "the best window of twenty seconds: a window of results" },
		},
	},
	{
		.name = "graphs",
		.aliases = "graph chains points",
		.synopsis = "Several inputs and outputs",
		.summary = "points, chains, joins: programs that are not one line",
		.group = "topics",
		.text =
			"A program is one or more chains of stages. `as NAME` names a point of a chain, `from NAME, ...` begins another one there; `split a = "
			"E, b = E` parts a stream into named ones. Inputs have names too: `--from NAME=SRC`, each with its own format and columns "
			"(`--from 'orders=orders.csv?delimiter=;'`). Chains may stand in any order.\n\n"
			"    union NAME, ...      the records of all\n"
			"    join NAME on k       pairs of records of two streams\n"
			"    cogroup NAME on k    one record a key: a list of each stream's records\n"
			"    lookup FILE on k     the rows of a table beside each record\n\n"
			"A chain in parentheses may stand for a name: `join (from all | filter side == \"r\") on k`.\n\n"
			"What stands in front of a point is done once, however many chains read it. A chain that ends in `to SINK` or `as NAME` prints nothing; "
			"the others write to the output, in the order in which they are written. All sinks of a micro-batch commit together. `--explain` shows "
			"the graph, `--explain=dot` draws it.",
		.examples = {
			{ "-o json 'words | as all | count by word | top 1 by count' 'from all | count as words'", "to be or not to be\n", "{\"word\":\"to\",\"count\":2}\n{\"words\":6}\n",
			  "one input, two results" },
			{ "-o csv --from 'a=values:k,1,2?format=csv' --from 'b=values:k,2,3?format=csv' 'from a | join b on k'", NULL, "k\n2\n", "two inputs" },
		},
	},
	{
		.name = "monitoring",
		.aliases = "progress stats signals",
		.synopsis = "Monitoring",
		.summary = "what a run tells while it lasts: status, progress, statistics",
		.group = "topics",
		.text =
			"SIGUSR1 (`kill -USR1 PID`) prints on standard error how things stand: records and bytes read, their rate, the micro-batch and how "
			"far it is behind, the watermark, each source, what each stage let through, holds and waits for, and what each sink wrote. Where the "
			"system has SIGINFO, Ctrl-T does the same.\n\n"
			"On a terminal, when nothing has come or gone for three seconds, one line says what strm waits for. `--progress` draws records, "
			"their rate, bytes, and percent and the time left where the size of the input is known, and always prints the closing line. `-q` "
			"silences both.\n\n"
			"`--stats FILE` writes a JSON line for each micro-batch, to a file or any sink:\n\n"
			"    batch, time         its number and time\n"
			"    records, bytes, bad what was read; bad records\n"
			"    records_per_s       records in the processing time since the one before\n"
			"    processed_per_s     records in the time that ms.total says\n"
			"    ms                  read (and decode, without waiting), run (stages),\n"
			"                        deliver (sinks), total\n"
			"    delay_ms, queued    with --every DURATION: from the end of its interval\n"
			"                        to its delivery, and how many micro-batches wait by\n"
			"                        then (at most 1: what comes meanwhile is one)\n"
			"    event_time          watermark; min, max, avg of the times that came\n"
			"    sources             name, records, bytes; position: bytes of all the run\n"
			"    stages              stage, word, in, out, where its records went; held:\n"
			"                        how many keys, rows or windows; memory in bytes\n"
			"    sinks               name, records\n"
			"    memory              bytes of input and of all that stages hold\n\n"
			"What cannot be said is null or not there. Counts are those of the micro-batch; position, held, memory and the watermark are "
			"how things stand at its end.",
		.examples = {
			{ "--stats /dev/stdout 'filter false' | strm -i json 'map batch, records'", "a\nb\n", "{\"batch\":0,\"records\":2}\n",
			  "the statistics of one stream as the input of another" },
		},
	},
	{
		.name = "checkpoints",
		.synopsis = "Jobs that go on after a restart",
		.summary = "what --checkpoint DIR keeps, and what is promised",
		.group = "topics",
		.text = "With `--checkpoint DIR` each micro-batch is committed in DIR: what stages keep, watermarks, timers, and where the inputs stand. A run that finds "
			"DIR goes on there. A micro-batch that was begun and not committed is run again, with the same records at the same time, and only what is not "
			"there yet is written. One process at a time holds DIR; another one exits with status 5. At the end of the input windows stay open for the next "
			"run; `--drain` closes them.\n\n"
			"Inputs. Files, directories and logs that are followed are read on from their place. A log that was rotated meanwhile is found among NAME* "
			"beside it, packed or not, and read to its end before the new one, as are NAME.1, NAME-20261123 and the like that came after it; where the bytes "
			"that were read are nowhere any more the run ends with an error, and `--accept-loss` goes on. A last line without a line end waits for the rest of it, unless `--drain` is given. Pipes, connections, "
			"datagrams and the output of commands are logged in DIR before they are processed. What a sender had not handed over when strm was down is its own "
			"affair.\n\n"
			"Outputs. In files, directories (dir:) and a standard output that is a file each record is there exactly once: what lies behind the recorded "
			"place must be what strm writes there, else it stops and touches nothing. Into other pipes and connections a micro-batch may be written again "
			"after a crash, with the same bytes and the same @batch; from one strm to another, with `?ack` at both ends of a connection, each record arrives once.\n\n"
			"`--once` takes what has come and exits: for cron. A run that finds nothing new writes nothing. Inputs that only listen are refused.\n\n"
			"A changed program keeps the state of the stages that mean the same as before; the others start anew, and each is said. An output that is taken "
			"out of it while something in the checkpoint waits to be acknowledged, or while its file holds some of a micro-batch that was not committed, is an "
			"error; so is an input that is taken out while bytes that were logged of it wait to be processed, unless `--accept-loss` is given. A file goes on where it "
			"stood however it is named, followed or not, and so does a directory, whatever its options.",
	},
	{
		.name = "status",
		.aliases = "exit",
		.synopsis = "Exit status",
		.summary = "the exit status",
		.group = "topics",
		.text = "    0      all is well\n"
			"    1      a source or a sink failed\n"
			"    2      the options or arguments are wrong\n"
			"    3      the program does not compile\n"
			"    4      finished, but records were bad (--strict: ended at the first)\n"
			"    5      another process works with the checkpoint\n"
			"    128+n  ended by signal n\n\n"
			"SIGINT and SIGTERM are taken as the end of the input: totals of what was read are printed. With a checkpoint the micro-batch is finished "
			"and committed instead, and windows stay open. A second signal ends the run at once. "
			"When the reader of standard output goes away (`strm ... | head`), the run ends quietly with status 0.",
	},
	{ .name = NULL },
};

static const struct doc specials[] = {
	{
		.name = "@record",
		.synopsis = "@record, @record.NAME",
		.summary = "the record as an object; one field of it",
		.group = "special values",
		.text = "`@record.n` is the field n where a name of `each`, `keep` or `fold` hides it.",
		.examples = { { "-i csv -o json 'map r = @record, n = len(r)'", "a,b\n1,x\n",
				"{\"r\":{\"a\":1,\"b\":\"x\"},\"n\":2}\n", NULL } },
	},
	{
		.name = "@source",
		.aliases = "@file",
		.synopsis = "@source",
		.summary = "where the record comes from: the path of the file, or stdin",
		.group = "special values",
		.examples = { { "'map from = @source, line' -- /dev/stdin", "a\n", "/dev/stdin\ta\n", NULL } },
	},
	{
		.name = "@time",
		.synopsis = "@time",
		.summary = "the time of the run, the same for all its records",
		.group = "special values",
		.examples = { { "-n -o json 'map ok = @time > time(\"2024-01-01\")'", NULL, "{\"ok\":true}\n", NULL } },
	},
	{
		.name = "@event",
		.synopsis = "@event",
		.summary = "the record's event time, behind a watermark; a result's is the last instant of its window",
		.group = "special values",
		.examples = { { "-i csv -o csv 'watermark t' 'map e = @event'", "t\n1700000000\n", "e\n2023-11-14T22:13:20Z\n", NULL } },
	},
	{
		.name = "@watermark",
		.synopsis = "@watermark",
		.summary = "the watermark that the stage judges its records by; null until there is one",
		.group = "special values",
		.examples = { { "-i csv -o csv --every 1r 'watermark t delay 5s' 'map t, w = epoch(@watermark)'", "t\n10\n20\n", "t,w\n10,\n20,5\n", NULL } },
	},
	{
		.name = "@window_start",
		.aliases = "@window_end",
		.synopsis = "@window_start, @window_end",
		.summary = "the window of the record",
		.group = "special values",
		.examples = { { "-i csv -o csv 'window 10s every 5s on t' 'map t, from = epoch(@window_start), to = epoch(@window_end)'", "t\n7\n",
				"t,from,to\n7,0,10\n7,5,15\n", "a record in two windows" } },
	},
	{
		.name = "@pane",
		.aliases = "@pane_on_time @timing @final",
		.synopsis = "@pane, @pane_on_time, @timing, @final",
		.summary = "which answer of its window a result is, when it came, and whether it is the last",
		.group = "special values",
		.text = "`@pane` counts from 0, `@pane_on_time` only those that are not early (null for those that are); `@timing` is early, on_time or late.",
		.examples = { { "-i csv -o csv --every 1r 'window 10s on t' 'trigger watermark early count 1' count 'map count, p = @pane, t = @timing, f = @final'",
				"t\n1\n2\n", "count,p,t,f\n1,0,early,false\n2,1,early,false\n2,2,on_time,true\n", NULL } },
	},
	{
		.name = "@records",
		.synopsis = "@records",
		.summary = "in `on batch` of a state: the key's records of this micro-batch, as a list",
		.group = "special values",
		.examples = { { "-o json 'state { on batch { emit line, n = len(@records) } } by line'", "a\nb\na\n",
				"{\"line\":\"a\",\"n\":2}\n{\"line\":\"b\",\"n\":1}\n", NULL } },
	},
	{
		.name = "@batch",
		.synopsis = "@batch",
		.summary = "the number of the micro-batch, from 0",
		.group = "special values",
		.text = "Programs with an aggregate or an ordering stage have one micro-batch, the whole input. Others print "
			"after each 8 MiB.",
		.examples = { { "-n 'map b = @batch'", NULL, "0\n", NULL } },
	},
	{ .name = NULL },
};

const struct doc *topic_doc(unsigned i) { return topics[i].name ? &topics[i] : NULL; }

const struct doc *special_doc(unsigned i) { return specials[i].name ? &specials[i] : NULL; }
