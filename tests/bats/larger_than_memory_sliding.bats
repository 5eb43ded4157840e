#!/usr/bin/env bats
# Windows that slide, of the clock and of event time, and windows of rows, with more keys than --mem holds. The answers are those of a run that keeps all in memory.
bats_require_minimum_version 1.5.0

setup() {
	load larger_than_memory.bash
	export STRM_TEST_NOSYNC=1
	cd "$BATS_TEST_TMPDIR" || return 1
	timed | head -n 40000 >in
}

programs() {
	cat <<-'END'
		watermark ts delay 60s | window 6000s every 2000s | count by k
		watermark ts delay 3000s | window 5000s every 2000s | reduce m = max(v), d = median(v), s = sum(v) by k | top 5 by s
		watermark ts delay 60s | window 4000s every 500s | reduce n = count(), q = approx_p90(v) by k = v > 0 ? k : null, v | count by n
		window 20000s every 4000s | reduce a = avg(v), n = count(v > 2) by k
		window 15000s every 5000s | reduce m = min(v), l = last(ts), c = collect(v) by k | top 5 by c
		window 5000s every 2500s | count by k = v > 1 ? k : k ++ "-of-a-longer-name" | top 5 by count
	END
}

# in_two DIR OPTION...: the program over the first 15000 records, and all.
in_two() {
	local dir=$1
	shift
	for n in 15000 40000; do
		head -n "$n" in >half
		strm -i json -o json --checkpoint "$dir" --every 500s --replay at "$@" "$program" --to "file:$dir.out" -- half
	done
}

@test "answers are the same with and without little memory, restarts between" {
	while read -r program; do
		echo "$program"
		run -1 strm -i json --every 500s --replay at --mem 2M "$program" -- in
		in_two all
		in_two some --mem 2M
		[ -s all.out ]
		cmp all.out some.out
		strm checkpoint verify some
		rm -r all* some*
	done < <(programs)
}

@test "batches of three rows, and the end of all windows" {
	export STRM_TEST_BATCH=3
	for program in 'watermark ts delay 60s | window 6000s every 2000s | reduce m = max(v) by k' 'window 6000s every 2000s | count by k'; do
		rm -rf d got want
		strm -i json -o json --every 500s --replay at "$program" -- in >want
		head -n 25000 in >half
		strm -i json -o json --checkpoint d --mem 2M --every 500s --replay at "$program" --to file:got -- half
		cat in >half
		strm -i json -o json --checkpoint d --mem 2M --every 500s --replay at --drain "$program" --to file:got -- half
		cmp want got
	done
}

@test "a run with --mem takes on what one without has kept, and the other way round" {
	program='watermark ts delay 60s | window 8000s every 1000s | reduce n = count(), m = max(v) by k'
	n=0
	for mem in '' 2M '' 3M 2M; do
		n=$((n + 8000))
		head -n "$n" in >half
		for dir in all some; do
			option=
			[ "$dir" = some ] && [ -n "$mem" ] && option="--mem $mem"
			# shellcheck disable=SC2086
			strm -i json -o json --checkpoint "$dir" --every 500s --replay at $option "$program" --to "file:$dir.out" -- half
		done
	done
	[ -s all.out ]
	cmp all.out some.out
	strm checkpoint verify some
}

@test "windows of rows come back when a row has their key, and at the end in the order of their keys" {
	while read -r program; do
		run -1 strm -i json --every 500r --mem 2M "$program" -- in
		rm -rf all* some*
		for dir in all some; do
			mem='--mem 2M' && [ $dir = all ] && mem=
			for n in 15000 25000 40000; do
				[ $n = 15000 ] && drain= || drain=--drain
				head -n $n in >half
				# shellcheck disable=SC2086
				strm -q -i json -o json --checkpoint $dir --every 500r $mem $drain "$program" --to "file:$dir.out" -- half
			done
		done
		[ -s all.out ]
		cmp all.out some.out
		strm checkpoint verify some
	done <<-'END'
		window 5 rows | reduce s = sum(v), l = last(ts) by k
		window 7 rows every 2 | reduce m = max(v), c = collect(v) by k
	END
}

@test "records of windows of the clock come out of the checkpoint" {
	for program in 'window 20000s every 5000s | map k, v' 'window 15000s every 5000s | map k, ts, t = @time'; do
		run -1 strm -i json --every 500s --replay at --mem 1M "$program" -- in
		rm -rf all* some*
		in_two all
		in_two some --mem 1M
		[ -s all.out ]
		cmp all.out some.out
		strm checkpoint verify some
	done
}

@test "keys whose slices have all left leave the checkpoint too" {
	awk 'BEGIN { for (i = 1; i <= 60000; i++) printf "%d,%d\n", i, 1e9 + i }' >new
	strm -i csv --schema 'k:int, at:time' --checkpoint d --mem 2M --every 500r --replay at 'window 4000s every 1000s' 'count by k' 'count' -- new >/dev/null
	n=$(strm checkpoint ls -o json d | jq -r 'select(.kind == "stage" and .id == 1) | .keys')
	echo "$n"
	[ "$n" -lt 30000 ]
	strm checkpoint verify d
}

@test "what is kept of a key that is away is found by its key" {
	head -n 20000 in >half
	strm -i json --checkpoint d --mem 2M --every 500s --replay at 'window 20000s every 1000s' 'count by k' 'limit 1' -- half >/dev/null
	key=$(head -n 20 in | jq -r '.k' | tail -n 1)
	strm checkpoint get -o json "$key" d | jq -c .key >got
	[ -s got ]
	run -0 grep -vxF -e "{\"k\":$key}" -e "{\"k\":\"$key\"}" -c got || [ "$output" -le 1 ]
}

@test "memory is bounded while all keys are in a window that ends" {
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	awk 'BEGIN { srand(5); print "k,ts,v"; for (i = 1; i <= 250000; i++) printf "key-%d-of-many,%d,%d\n", int(rand() * 1000000), 1e9 + i, i % 1000 }' >many
	awk -F, 'function add(j) { n[j]++; s[j] += $3; if (!((j, $1) in top)) { keys[j]++; top[j, $1] = 0 } if ($3 > top[j, $1]) { m[j] += $3 - top[j, $1]; top[j, $1] = $3 } }
		NR > 1 { j = int($2 / 125000); add(j - 1); add(j) }
		END { for (j = 7999; j <= 8002; j++) printf "%d,%d,%d,%d\n", keys[j], n[j], s[j], m[j] }' many >want
	export P='watermark ts | window 250000s every 125000s | reduce n = count(), s = sum(v), m = max(v), a = avg(v) by k | reduce keys = count(), n = sum(n), s = sum(s), m = sum(m) by e = @event'
	run bash -c 'ulimit -d 120000; strm -i csv -o csv --checkpoint d --mem 8M --every 5000r --drain "$P" -- many >got'
	[ "$status" -eq 0 ]
	run bash -c 'ulimit -d 120000; strm -i csv -o csv --checkpoint e --every 5000r --drain "$P" -- many >all'
	[ "$status" -ne 0 ]
	tail -n +2 got | cut -d, -f4- | cmp - want
}

@test "killed at any instant what is out of memory goes on" {
	head -n 20000 in >some.in
	mv some.in in
	kill_and_go_on 2M --every 300s --replay at 'watermark ts delay 60s | window 3000s every 1000s | count by k'
	kill_and_go_on 2M --every 250s --replay at 'window 3000s every 1000s | reduce m = max(v), l = last(v) by k'
}
