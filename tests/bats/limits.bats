# Bounds: long lines and memory.

setup() {
	bats_require_minimum_version 1.5.0
	unset STRM_TEST_BATCH
	cd "$BATS_TEST_TMPDIR"
}

sanitized() { grep -q __asan_init "$BUILDDIR/strm"; }

# peak COMMAND...: runs it and notes its peak memory, in kB, for under_mb.
peak() { /usr/bin/time -f %M -o kb "$@"; }

under_mb() { [ "$(tail -n 1 kb)" -lt $(($1 << 10)) ]; }

needs_time() {
	[ -x /usr/bin/time ] || skip 'GNU time is not installed'
	! sanitized || skip 'memory is not measured under sanitizers'
}

xs() { head -c "$1" /dev/zero | tr '\0' x; }
limit=$((64 << 20))

# long_record FORMAT BYTES: a record of so many bytes between two short ones.
long_record() {
	case $1 in
	csv | tsv) echo a; echo 1; xs "$2"; echo ;;
	json) echo '{"a":1}'; printf '{"a":"'; xs $(($2 - 8)); echo '"}' ;;
	logfmt) echo a=1; printf 'a='; xs $(($2 - 2)); echo ;;
	*) echo 1; xs "$2"; echo ;;
	esac
	case $1 in
	json) echo '{"a":2}' ;;
	logfmt) echo a=2 ;;
	*) echo 2 ;;
	esac
}

at_the_limit() {
	needs_time
	long_record "$1" $limit >in
	peak strm -i "$1" -o json count --from in >out
	[ "$(cat out)" = '{"count":3}' ]
	under_mb 160
}

over_the_limit() {
	needs_time
	long_record "$1" $((3 * limit)) | { peak strm -i "$1" -o json count >out 2>err; } || true
	[ "$(cat out)" = '{"count":2}' ]
	grep -q "longer than $limit bytes" err
	under_mb 160
}

@test "a line of 64 MB" { at_the_limit lines; }
@test "a csv record of 64 MB" { at_the_limit csv; }
@test "a tsv record of 64 MB" { at_the_limit tsv; }
@test "a json record of 64 MB" { at_the_limit json; }
@test "a logfmt record of 64 MB" { at_the_limit logfmt; }
@test "a line of columns of 64 MB" { at_the_limit columns; }
@test "a line of 192 MB is bad and takes no more memory" { over_the_limit lines; }
@test "a csv record of 192 MB is bad and takes no more memory" { over_the_limit csv; }
@test "a tsv record of 192 MB is bad and takes no more memory" { over_the_limit tsv; }
@test "a json record of 192 MB is bad and takes no more memory" { over_the_limit json; }
@test "a logfmt record of 192 MB is bad and takes no more memory" { over_the_limit logfmt; }
@test "a line of columns of 192 MB is bad and takes no more memory" { over_the_limit columns; }

@test "words of a line of 192 MB are bad and take no more memory" {
	needs_time
	{ echo a b; xs $((3 * limit)); echo; echo a; } | { peak strm words 'count by word' >out 2>err; } || true
	[ "$(cat out)" = "$(printf 'a\t2\nb\t1')" ]
	under_mb 160
}

@test "counting 60 thousand words of 50 MB takes less than 24 MB" {
	needs_time
	awk 'BEGIN { srand(1); for (i = 0; i < 1000000; i++) { s = ""
		for (j = 0; j < 7; j++) s = s "w" int(60000 * rand()) " "
		print s } }' | { peak strm words 'count by word' >out; }
	[ "$(wc -l <out)" -gt 59000 ]
	[ "$(awk '{ n += $2 } END { print n }' out)" -eq 7000000 ]
	under_mb 24
}

@test "filters and groups of a long stream take memory for a few blocks" {
	needs_time
	awk 'BEGIN { print "a,b"; for (i = 0; i < 2000000; i++) print i % 1000 "," i }' >in.csv
	peak strm 'filter a == 7' 'set c = a' --from in.csv --to /dev/null
	under_mb 24
	peak strm 'reduce n = count(), s = sum(b) by a' --from in.csv --to /dev/null
	under_mb 24
	peak strm -o json 'filter true' --from in.csv --to /dev/null
	under_mb 24
}

@test "a key of state takes the memory that its help says" {
	needs_time
	seq 2200000 >in
	peak strm 'state n += 1 by line' --to /dev/null -- in
	under_mb 240
	peak strm 'state { on record { n += 1; timeout 30m } on timeout { emit } } by line' -- in >out
	under_mb 345
}

# a_day PER_SECOND: records t,s,k of a day, the times a little out of order.
a_day() {
	awk -v per="$1" 'BEGIN { print "t,s,k"; for (t = 0; t < 86400; t++) for (i = 0; i < per; i++) {
		x = (x * 1103515245 + 12345) % 2147483648; r = int(x / 32768)
		printf "%d,%s,%d\n", 1767225600 + t - r % 3, r % 2 ? "l" : "r", int(r / 2) % 1000 } }'
}

join_a_day() {
	peak strm -i csv -o json 'watermark t delay 5s' 'split l = s == "l", r = s == "r"' "from l | join r on k within 10s left" "$@" --from day >out
}

@test "an interval join of a day keeps what can match, whatever is behind it" {
	needs_time
	a_day 20 >day
	join_a_day 'count by k' 'count'
	[ "$(cat out)" = '{"count":1000}' ]
	under_mb 160
	join_a_day 'window 1h' 'count' 'count'
	under_mb 160
}

# wide FORMAT: 200 records, every other one with a field name of its own of a megabyte.
wide() {
	awk -v format="$1" 'BEGIN { x = "x"; while (length(x) < 1000000) x = x x; for (i = 0; i < 200; i++)
		if (format == "json") print "{\"a\":" i "}\n{\"" x i "\":1}"; else print "a=" i "\n" x i "=1" }'
}

@test "records with ever new field names become bad ones before they fill the memory" {
	needs_time
	for format in json logfmt; do
		wide $format >in
		status=0
		peak strm -i $format 'flatmap n = keys(@record)' 'filter n == "a"' 'count' --from in >out 2>err || status=$?
		[ "$status" -eq 4 ]
		grep -q 200 out
		grep -q 'bad record: its set of field names is a new one, and 128 MB of different sets are known already: ' err
		under_mb 200
	done
	status=0
	wide json | peak strm -i lines 'parse json' 'flatmap n = keys(@record)' 'filter n == "a"' 'count' >out 2>err || status=$?
	[ "$status" -eq 4 ]
	[ "$(cat out)" = 200 ]
	under_mb 400
}
