#!/usr/bin/env bats
# What rests in stages that do not aggregate is more than --mem holds. The answers are those of a run that keeps all in memory.
bats_require_minimum_version 1.5.0

setup() {
	load larger_than_memory.bash
	export STRM_TEST_NOSYNC=1
	cd "$BATS_TEST_TMPDIR" || return 1
	timed | head -n 24000 >in
}

# in_two DIR OPTION...: the program over a part of the records, and over all.
in_two() {
	local dir=$1
	shift
	for n in 15000 24000; do
		head -n "$n" in >half
		strm -i json -o json --checkpoint "$dir" --every 500s --replay at "$@" "$program" --to "file:$dir.out" -- half
	done
}

row_programs() {
	cat <<-'END'
		1M	absent 9000s by k
		1M	watermark ts delay 60s | absent 20000s by k, v | count by k
		1M	watermark ts delay 5000s | absent 4000s by q = k % 3 == 0 ? null : k % 3 == 1 ? k * 0.5 : k % 9 == 2 ? [v] : k | window 1000s | count
		2M	count by k | fill -1 | reduce n = count() by c = count
		2M	watermark ts delay 60s | window 1000s | count by k | fill number(k) % 100 | filter count > 98
		2M	reduce n = count() by q = at % 3 == 0 ? null : at % 3 == 1 ? at * 0.5 : at % 9 == 2 ? [at] : k | fill -1 | count by n
	END
}

@test "what rests leaves memory and comes back, restarts between" {
	while IFS=$'\t' read -r mem program; do
		echo "$program"
		run -1 strm -i json --every 500s --replay at --mem "$mem" "$program" -- in
		in_two all
		in_two some --mem "$mem"
		STRM_TEST_BATCH=30 in_two three --mem "$mem"
		[ -s all.out ]
		cmp all.out some.out
		cmp all.out three.out
		strm checkpoint verify some
		rm -r all* some* three*
	done < <(row_programs)
}

@test "silences that begin together are told some at a time" {
	awk 'BEGIN { print "k,t"; for (i = 1; i <= 12000; i++) printf "%d,%d\n", i, i + 60 * (i > 11990) * 86400 }' >in
	strm -i csv -o json --every 500r 'watermark t | absent 1d by k' -- in >want
	strm -i csv -o json --checkpoint d --mem 1M --every 500r 'watermark t | absent 1d by k' -- in >got
	[ "$(wc -l <want)" -eq 11990 ]
	cmp want got
}

@test "killed at any instant what is silent out of memory goes on" {
	kill_and_go_on 1M --every 300s --replay at 'watermark ts delay 60s | absent 9000s by k'
}

@test "killed at any instant windows are filled for keys that are out of memory" {
	kill_and_go_on 2M --every 1000s --replay at 'watermark ts delay 60s | window 1000s | count by k | fill 0 | filter number(k) % 10 == 1'
}

# bounded PROGRAM: of `many`; without --mem it would need more. The answer is in `got`.
bounded() {
	run bash -c 'ulimit -d 110000; rm -rf d; strm --checkpoint d --mem 16M --every 10000r "$1" -- many >got' . "$1"
	[ "$status" -eq 0 ]
	run bash -c 'ulimit -d 110000; rm -rf e; strm --checkpoint e --every 10000r "$1" -- many >all' . "$1"
	[ "$status" -ne 0 ]
}

@test "memory is bounded while those that are silent are several times as many" {
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	awk 'BEGIN { for (i = 1; i <= 450000; i++) printf "%d\n", i }' >many
	bounded 'set at = int(line) | watermark at | absent 350000s by k = "key-" ++ line | map k'
	awk 'BEGIN { for (i = 1; i < 100000; i++) print "key-" i }' | cmp - got
}

@test "memory is bounded while windows are filled for several times as many keys" {
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	seq 90000 >many
	bounded 'set k = line ++ repeat("-", 350) | count by k | fill 0 | reduce n = count(), s = sum(count), f = first(k), l = last(k)'
	rm -r e
	strm --checkpoint e --every 10000r 'set k = line ++ repeat("-", 350) | count by k | fill 0 | reduce n = count(), s = sum(count), f = first(k), l = last(k)' -- many | cmp - got
}
