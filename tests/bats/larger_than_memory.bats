#!/usr/bin/env bats
# State that is larger than --mem: keys leave memory for the checkpoint and come back. The answers are those of a run that keeps all in memory.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	awk 'BEGIN { srand(3); for (i = 1; i <= 40000; i++) { k = int(rand() * rand() * 25000)
		printf "{\"k\":%s,\"g\":\"%s\",\"v\":%d,\"t\":\"%s\"}\n", i % 3 ? k : "\"" k "\"", substr("abcd", k % 4 + 1, 1), i % 7, substr("quite a long text to keep", 1, i % 25) } }' >in
}

programs() {
	cat <<-'END'
		state n = n + v from n = 0 by k
		state n = n + 1, last = t, longest = length(t) > length(longest) ? t : longest from n = 0, last = null, longest = "" by k
		state { on record { n = n + 1; if n % 5 == 0 { emit *, n; remove } } } from n = 0 by k, g
		state { on record { if v == 3 && g == "a" { timeout 30s } else { timeout off }; n += v } on batch { emit k, n, late = false } on timeout { emit k, n, late = true; n = 0 } } from n = 0 by k
		state n = n + 1 from n = 0 by k = k % 3 == 0 ? null : k % 3 == 1 ? k * 0.5 : k % 9 == 2 ? [v] : k ++ t
		dedup by k
		dedup by k, g, v
		window all | count by k
		window all | reduce n = count(), s = sum(v), l = last(t), m = median(v), d = approx_distinct(t), p = approx_p90(v), c = collect(v) by k
		window all | reduce f = fold(acc, "", acc ++ g), n = count() by k = k % 3 == 0 ? null : k % 3 == 1 ? k * 0.5 : k % 9 == 2 ? [v] : k ++ t
		window all | trigger count 2 retracting | reduce n = count(), s = sum(v) by k | count by n
		window all | trigger count 3 discarding | count by k | set pane = @pane, timing = @timing
		window all | count by k | top 10 by count
		window all | dedup by k, v | count by k | sort count, k
	END
}

# run_all DIR OPTION...: the program over the input in two halves, as two runs.
run_all() {
	local dir=$1
	shift
	head -n 20000 in >half
	strm -i json -o json --checkpoint "$dir" --every 500r "$@" "$program" --to "file:$dir.out" -- half
	cat in >half
	strm -i json -o json --checkpoint "$dir" --every 500r "$@" "$program" --to "file:$dir.out" -- half
}

# What lists are the keys of stays in memory; texts take more.
mem_of() { case $1 in *sort* | *'all'*'[v]'*) echo 4M ;; *last* | *g | *'[v]'* | *'window all'*) echo 2M ;; *) echo 1M ;; esac; }

@test "answers are the same with and without little memory, restarts between" {
	while read -r program; do
		echo "$program"
		run -1 strm -i json --every 500r --mem "$(mem_of "$program")" "$program" -- in
		run_all all
		run_all some --mem "$(mem_of "$program")"
		STRM_TEST_BATCH=3 run_all three --mem "$(mem_of "$program")"
		[ -s all.out ]
		cmp all.out some.out
		cmp all.out three.out
		rm -r all* some* three*
	done < <(programs)
}

@test "without a checkpoint the same is too much" {
	run --separate-stderr strm -i json -o json --every 500r --mem 1M 'state n = n + v from n = 0 by k' -- in
	[ "$status" -eq 1 ]
	[[ "$stderr" == 'strm: stage 1: state: holds '*' keys, over --mem 1048576'* ]]
}

# A record for each second; event times are up to a minute behind.
timed() {
	awk 'BEGIN { srand(7); for (i = 1; i <= 60000; i++) { k = int(rand() * rand() * 70000)
		printf "{\"k\":%s,\"v\":%d,\"at\":%d,\"ts\":%d}\n", i % 3 ? k : "\"" k "\"", i % 7, 1e9 + i, 1e9 + i - int(rand() * 50) } }'
}

timed_programs() {
	cat <<-'END'
		state n = n + v from n = 0 ttl 15000s by k
		state { on record { n += v; timeout 9000s; if v == 3 { timeout b 4000s } } on timeout { emit k, n, a = true } on timeout b { emit k, n, a = false; timeout off } } from n = 0 by k
		state { on record { n += v; if v == 2 { remove } else { timeout 9000s } } on timeout { emit k, n; n = 0 } } from n = 0 ttl 12000s by k
		watermark ts delay 60s | state { on record { n += v; timeout at time(ts) + 9000s; if v == 1 { timeout p 1000s } } on timeout { emit k, n; timeout at @event + 100s; n = null } on timeout p { emit k, n, p = true } } from n = 0 ttl 8000s by k
		watermark ts delay 60s | state { on record { n += v; timeout at time(ts) + 12000s } on timeout { emit k, n } } from n = 0 by k | window 1000s | count
		watermark ts delay 20000s | window 3000s | state n = n + v from n = 0 by k
		watermark ts delay 60s | dedup by k within 9000s
		watermark ts delay 9000s | dedup by ts, k
		watermark ts delay 9000s | window 3000s | dedup by k
	END
}

# in_parts DIR OPTION...: the program over the first 20000 records, 45000, and all.
in_parts() {
	local dir=$1
	shift
	for n in 20000 45000 60000; do
		head -n "$n" in >half
		strm -i json -o json --checkpoint "$dir" --every 500s --replay at "$@" "$program" --to "file:$dir.out" -- half
	done
}

@test "what waits for a time comes back when it has come" {
	timed >in
	while read -r program; do
		echo "$program"
		case $program in *dedup*) mem=1M ;; *) mem=3M ;; esac
		run -1 strm -i json --every 500s --replay at --mem $mem "$program" -- in
		in_parts all
		in_parts some --mem $mem
		STRM_TEST_BATCH=3 in_parts three --mem $mem
		[ -s all.out ]
		cmp all.out some.out
		cmp all.out three.out
		rm -r all* some* three*
	done < <(timed_programs)
}

@test "keys whose ttl is over leave the checkpoint" {
	timed >in
	program='state n = n + v from n = 0 ttl 3000s by k'
	in_parts all
	in_parts some --mem 1M
	cmp all.out some.out
	strm checkpoint verify all
	strm checkpoint verify some
	# the micro-batches end at whole 500 s: the last at the last record
	awk -F'[:,]' '{ gsub(/"/, "", $2); last[$2] = NR } END { for (k in last) n += 60000 - last[k] <= 3000; print n }' in >want
	strm checkpoint ls -o json all | jq -r 'select(.kind == "stage" and .id == 1) | .keys' >got.all
	cmp got.all want
}

@test "timers of more keys than there is memory for fire, each once" {
	awk 'BEGIN { print "k,at"; for (i = 1; i <= 400000; i++) printf "%d,%d\n", i, 1e9 + i }' >in
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	export P='state { on record { n = at; timeout 300000s } on timeout { emit k, n = epoch(n) } } by k'
	run bash -c 'ulimit -d 70000; strm -i csv -o csv --schema "k:int, at:time" --checkpoint d --mem 8M --every 1000s --replay at "$P" -- in >got'
	[ "$status" -eq 0 ]
	run bash -c 'ulimit -d 70000; strm -i csv -o csv --schema "k:int, at:time" --checkpoint e --every 1000s --replay at "$P" -- in >all'
	[ "$status" -ne 0 ]
	awk -F, 'NR == 1 { print "k,n" } $1 < 100000 && NR > 1' in | cmp - got
}

join_programs() {
	cat <<-'END'
		as all ; from all | filter v < 3 | window all | join (from all | filter v >= 3 | window all) on k
		as all ; from all | filter v < 3 | window all | join (from all | filter v >= 3 | window all) on k semi
		watermark ts delay 60s | as all ; from all | filter v < 3 | join (from all | filter v >= 3) on k within 9000s
		watermark ts delay 60s | as all ; from all | filter v < 3 | join (from all | filter v >= 3) on k within -3000s to 20000s full
		watermark ts delay 60s | as all ; from all | filter v < 3 | join (from all | filter v >= 3) on k within 9000s anti
		watermark ts delay 9000s | as all ; from all | filter v < 3 | window 1000s | join (from all | filter v >= 3 | window 1000s) on k left
	END
}

@test "rows of a join leave memory by key, and come back when the key does or their time is over" {
	timed >in
	while read -r program; do
		echo "$program"
		program=${program/ ; /$'\n'}
		run -1 strm -i json --every 500s --replay at --mem 5M "$program" -- in
		in_parts all
		in_parts some --mem 5M
		STRM_TEST_BATCH=3 in_parts three --mem 5M
		[ -s all.out ]
		cmp all.out some.out
		cmp all.out three.out
		strm checkpoint verify some
		rm -r all* some* three*
	done < <(join_programs)
}

@test "an outer join over the whole stream keeps its rows in memory, and the error says so" {
	run --separate-stderr strm -i json -o json --checkpoint d --every 500r --mem 1M \
		$'as all\nfrom all | filter v < 3 | window all | join (from all | filter v >= 3 | window all) on k left' -- in
	[ "$status" -eq 1 ]
	[[ "$stderr" == 'strm: stage 5: join: holds '*' keys, over --mem 1048576'*'hint: give it more with --mem; rows of an outer join over the whole stream stay in memory, `within` or a window lets them go' ]]
}

whole_programs() {
	cat <<-'END'
		state { on record { n += v } on close { emit k, n } } from n = 0 by k
		state { on record { n += v; if v == 3 { remove } } on close { emit k, n, t; n = 0 } } from n = 0, t = "abc" ttl 15000s by k
		state { on batch { if len(@records) > 0 || n % 11 == 0 { n += len(@records) }; if n == 3 { emit k, n } } } from n = 0 by k all
		state { on record { n += v; timeout 15000s } on batch { if n % 100 == 0 { emit k, n; n = n + 1 } } on timeout { emit k, late = n; remove } on close { emit k, n, t = 1 } } from n = 0 by k all
	END
}

@test "rules for all keys are run for those that are out of memory, in the same order" {
	timed | head -n 40000 >in
	while read -r program; do
		echo "$program"
		run -1 strm -i json --every 2000s --replay at --mem 2M "$program" -- in
		for dir in all some three; do
			mem='--mem 2M' && [ $dir = all ] && mem=
			for n in 15000 30000 40000; do
				[ $n = 40000 ] && drain=--drain || drain=
				head -n $n in >half
				STRM_TEST_BATCH=$([ $dir = three ] && echo 3) strm -i json -o json --checkpoint $dir --every 2000s --replay at $mem $drain \
					"$program" --to "file:$dir.out" -- half
			done
		done
		[ -s all.out ]
		cmp all.out some.out
		cmp all.out three.out
		rm -r all* some* three*
	done < <(whole_programs)
}

@test "what a micro-batch changes stays in memory, and the error says so" {
	run --separate-stderr strm -i json -o json --checkpoint d --every 500r --mem 1M 'state { on batch { n += 1 } } from n = 0 by k all' -- in
	[ "$status" -eq 1 ]
	[[ "$stderr" == 'strm: stage 1: state: holds '*' keys, over --mem 1048576'*'what a micro-batch touches or changes and what is due in it stays in memory' ]]
}

@test "windows and sessions stay in memory, and the error says so" {
	timed >in
	for window in 'window 1000s' 'window session 1000s' 'window 1000s every 100s'; do
		run --separate-stderr strm -i json -o json --checkpoint "d-$window" --every 500r --mem 1M "watermark ts delay 1d | $window | count by k" -- in
		[ "$status" -eq 1 ]
		[[ "$stderr" == 'strm: stage 3: count: holds '*' keys, over --mem 1048576'*'what this stage holds stays in memory, with a checkpoint too' ]]
	done
}

# kill_and_go_on MEM OPTION... PROGRAM: killed six times, the same as in one run.
kill_and_go_on() {
	local mem=$1
	shift
	rm -rf d got
	strm -i json -o json "$@" -- in >want
	for ((i = 1; i <= 200; i++)); do
		strm -i json -o json --checkpoint d --mem "$mem" "$@" --to file:got -- in &
		pid=$!
		[ "$i" -gt 6 ] && { wait "$pid" && break || false; }
		until [ "$(stat -c %s got 2>/dev/null || echo 0)" -ge $((i * 60000)) ] || ! kill -0 "$pid" 2>/dev/null; do :; done
		kill -9 "$pid" 2>/dev/null || :
		wait "$pid" || :
	done
	cmp want got
}

@test "killed at any instant what is out of memory goes on" {
	kill_and_go_on 1M --every 500r 'state n = n + v from n = 0 by k'
	kill_and_go_on 2M --every 500r 'window all | reduce n = count(), s = sum(v) by k'
	timed | head -n 30000 >in
	kill_and_go_on 4M --every 300s --replay at $'watermark ts delay 60s | as all\nfrom all | filter v < 3 | join (from all | filter v >= 3) on k within 9000s left'
	kill_and_go_on 1M --every 300s --replay at 'state { on record { n += v; timeout 3000s } on timeout { emit k, n } } from n = 0 by k'
}

# bounded OPTION... PROGRAM: without --mem it would need more; the answer is in `got`.
bounded() {
	# bounds what is not a mapped file: heap, stacks, tables
	run bash -c 'ulimit -d 100000; rm -rf d; strm --checkpoint d --mem 8M --every 10000r "$@" -- many >got' . "$@"
	[ "$status" -eq 0 ]
	run bash -c 'ulimit -d 100000; rm -rf e; strm --checkpoint e --every 10000r "$@" -- many >all' . "$@"
	[ "$status" -ne 0 ]
}

@test "memory is bounded while the state is several times as large" {
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	awk 'BEGIN { srand(5); for (i = 0; i < 900000; i++) printf "key-%d-of-many\n", int(rand() * 800000) }' >many
	awk '{ print $0 "\t" ++n[$0] }' many >want
	bounded 'state n = n + 1 from n = 0 by k = line'
	cmp want got
	# of a word that a micro-batch has several times it tells once
	awk '{ ++n[$0]; at[$0] = NR; if (!(now[$0]++)) order[++m] = $0 } NR % 10000 == 0 { for (i = 1; i <= m; i++) print order[i] "\t" n[order[i]]; m = 0; split("", now) }' many >want
	bounded 'window all | count by k = line'
	cmp want got
}

@test "the whole table is larger than memory, and is gone through in its order" {
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	awk 'BEGIN { srand(5); for (i = 0; i < 225000; i++) printf "key-%d-of-many\n", int(rand() * 800000) }' >many
	awk 'function top(c, i, k) { for (c = most; c && k < 5; c--) for (i = 1; i <= m && k < 5; i++) if (n[order[i]] == c) { print order[i] "\t" c; k++ } }
		{ if (!n[$0]++) order[++m] = $0; if (n[$0] > most) most = n[$0] }
		NR % 10000 == 0 { top() }
		END { top() }' many >want
	bounded 'window all | count by k = line | top 5 by count'
	cmp want got
	strm checkpoint verify d
}
