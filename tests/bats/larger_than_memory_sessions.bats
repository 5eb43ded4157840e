#!/usr/bin/env bats
# Sessions that are more than --mem holds, and windows that end together. The answers are those of a run that keeps all in memory.
bats_require_minimum_version 1.5.0

setup() {
	load larger_than_memory.bash
	export STRM_TEST_NOSYNC=1
	cd "$BATS_TEST_TMPDIR" || return 1
	timed | head -n 12000 >in
}

# in_two DIR OPTION...: the program over a part of the records, and over all, to the end of time.
in_two() {
	local dir=$1
	shift
	for n in 7000 12000; do
		head -n "$n" in >half
		[ "$n" = 12000 ] && set -- --drain "$@"
		strm -q -i json -o json --checkpoint "$dir" --every 500s --replay at "$@" "$program" --to "file:$dir.out" -- half
	done
}

session_programs() {
	cat <<-'END'
		1M	watermark ts delay 1000s | window session 3000s | count by k
		1M	watermark ts delay 3000s | window session 300s closed | reduce n = count(), f = first(v), c = collect(v) by k
		1M	watermark ts delay 1000s | window session 500s | trigger watermark early count 2 late count 1, lateness 600s accumulating | reduce c = collect(v) by k | set p = @pane, t = @timing, l = @final
		1500K	watermark ts delay 1000s | window session 700s | trigger after 1000s, discarding, lateness 300s | reduce n = count(), s = sum(v) by k | set p = @pane, t = @timing
		1M	watermark ts delay 1000s | window session 700s | trigger every 800s, retracting, stamp earliest | reduce n = count() by k | set e = @event, w = @watermark
		2M	watermark ts delay 4000s | window 1000s | trigger every 800s, accumulating, stamp latest | reduce n = count() by k | set e = @event, w = @watermark
		3M	watermark ts delay 3000s | window session 900s | dedup by k, v
		2M	watermark ts delay 1000s | window session 900s closed | top 2 by v per k | set a = @window_start | count by k
	END
}

@test "sessions leave memory by key and come back when the key does, the watermark or the clock, restarts between" {
	while IFS=$'\t' read -r mem program; do
		echo "$program"
		run -1 strm -i json --every 500s --replay at --mem "$mem" "$program" -- in
		in_two all
		in_two some --mem "$mem"
		STRM_TEST_BATCH=3 in_two three --mem "$mem"
		[ -s all.out ]
		cmp all.out some.out
		cmp all.out three.out
		strm checkpoint verify some
		rm -r all* some* three*
	done < <(session_programs)
}

@test "a run with --mem takes on the sessions that one without has kept, and the other way round" {
	program='watermark ts delay 1000s | window session 2000s | reduce n = count(), c = collect(v) by k'
	n=0
	for mem in 24M 2M '' 24M 2M; do
		n=$((n + 2400))
		head -n "$n" in >half
		for dir in all some; do
			option=
			[ "$dir" = some ] && [ -n "$mem" ] && option="--mem $mem"
			# shellcheck disable=SC2086
			strm -i json -o json --checkpoint "$dir" --every 500s --replay at $option "$program" --to "file:$dir.out" -- half
		done
	done
	cmp all.out some.out
	strm checkpoint verify some
}

@test "windows and sessions that end together come out some at a time, in their order" {
	awk 'BEGIN { for (i = 1; i <= 30000; i++) printf "{\"k\":\"key-%d\",\"ts\":%d}\n", i * 7919 % 30000, i }' >in
	for window in 'window session 3000s' 'window 1d' 'window session 50000s' 'window all | trigger count 2'; do
		strm -i json -o json --every 500r "watermark ts delay 20h | $window | count by k" -- in >want
		strm -i json -o json --checkpoint d --drain --mem 3M --every 500r "watermark ts delay 20h | $window | count by k" -- in >got
		[ "$(wc -l <want)" -eq 30000 ]
		cmp want got
		rm -r d
	done
}

@test "killed at any instant sessions that are out of memory go on" {
	timed | head -n 20000 >in
	kill_and_go_on 2M --every 300s --replay at 'watermark ts delay 1000s | window session 500s | count by k'
}

@test "killed at any instant records that wait in sessions out of memory go on" {
	kill_and_go_on 2M --every 300s --replay at 'watermark ts delay 1000s | window session 500s | top 1 by v per k'
}

@test "sessions that need no key stay in memory, and the error says so" {
	run --separate-stderr strm -i json -o json --checkpoint d --every 500r --mem 1M 'watermark ts delay 1d | window session 1000s | sort v' -- in
	[ "$status" -eq 1 ]
	[[ "$stderr" == 'strm: stage 3: sort: holds '*' keys, over --mem 1048576'*'what this stage holds stays in memory, with a checkpoint too' ]]
}

@test "memory is bounded while sessions are several times as many" {
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	awk 'BEGIN { print "k,ts"; for (i = 1; i <= 250000; i++) print "key-" i * 7919 % 250000 "," i }' >in
	export P='watermark ts delay 150000s | window session 1000s | count by k | map k'
	run bash -c 'ulimit -d 90000; strm -i csv -o csv --schema "k:string, ts:time" --checkpoint d --drain --mem 16M --every 10000r "$P" -- in >got'
	[ "$status" -eq 0 ]
	run bash -c 'ulimit -d 90000; strm -i csv -o csv --schema "k:string, ts:time" --checkpoint e --drain --every 10000r "$P" -- in >all'
	[ "$status" -ne 0 ]
	cut -d, -f1 in | cmp - got
}
