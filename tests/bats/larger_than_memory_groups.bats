#!/usr/bin/env bats
# Records that wait, in groups and for the end of a window, are more than --mem holds. The answers are those of a run that keeps all in memory.
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

programs() {
	cat <<-'END'
		2M	group 3 rows by k
		2M	watermark ts delay 60s | group 3 rows within 6000s by k | window 1000s | count
		3M	watermark ts delay 9000s | window 100s | group 3 rows by k | set m = len(group)
		3M	watermark ts delay 9000s | window 300s every 100s | group 2 rows within 4000s by k = number(k) % 300 | set w = @window_start
		3M	group 3 rows by q = v % 3 == 0 ? null : v % 3 == 1 ? at * 0.5 : v % 9 == 2 ? [at] : k
		2M	watermark ts delay 9000s | window 1000s | sort v
		2M	watermark ts delay 60s | window 9000s every 3000s | skip 100 | set w = @window_start
	END
}

@test "what waits leaves memory and comes back, restarts between" {
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
	done < <(programs)
}

@test "what waits out of memory comes out at the end" {
	for program in 'group 3 rows by k' 'watermark ts delay 5000s | group 3 rows within 9000s by k | window 1000s | count'; do
		in_two all --drain
		in_two some --mem 6M --drain
		cmp all.out some.out
		rm -r all* some*
	done
}

@test "killed at any instant groups that are out of memory go on" {
	kill_and_go_on 2M --every 300s --replay at 'watermark ts delay 60s | group 3 rows within 6000s by k'
}

# bounded PROGRAM: of `many`; without --mem it would need more. The answer is in `got`.
bounded() {
	run bash -c 'ulimit -d 110000; rm -rf d; strm -o json --checkpoint d --mem 16M --every 5000r "$1" -- many >got' . "$1"
	[ "$status" -eq 0 ]
	run bash -c 'ulimit -d 110000; rm -rf e; strm -o json --checkpoint e --every 5000r "$1" -- many >all' . "$1"
	[ "$status" -ne 0 ]
	rm -r e
	strm -o json --checkpoint e --every 5000r "$1" -- many | cmp - got
}

@test "memory is bounded while the records of groups are several times as large" {
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	awk 'BEGIN { srand(4); for (i = 0; i < 360000; i++) print "record-" int(rand() * 300000) "-and-more" }' >many
	bounded 'group 4 rows by k = line'
}

@test "killed at any instant records that wait for the end of a window out of memory go on" {
	kill_and_go_on 2M --every 300s --replay at 'watermark ts delay 9000s | window 500s | sort v desc'
}

@test "memory is bounded while the records that wait for the end of a window are several times as large" {
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	seq 600000 >many
	bounded 'set at = int(line) | watermark at | window 500000s | skip 499900'
	[ "$(wc -l <got)" -eq 99 ]
}
