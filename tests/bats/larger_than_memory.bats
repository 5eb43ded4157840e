#!/usr/bin/env bats
# State that is larger than --mem: keys leave memory for the checkpoint and come back. The answers are those of a run that keeps all in memory.
bats_require_minimum_version 1.5.0

setup() {
	load larger_than_memory.bash
	export STRM_TEST_NOSYNC=1
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

@test "what a micro-batch changes stays in memory, and the error says so" {
	run --separate-stderr strm -i json -o json --checkpoint d --every 500r --mem 1M 'state { on batch { n += 1 } } from n = 0 by k all' -- in
	[ "$status" -eq 1 ]
	[[ "$stderr" == 'strm: stage 1: state: holds '*' keys, over --mem 1048576'*'what a micro-batch touches or changes and what is due in it stays in memory' ]]
}

@test "a table of sessions stays in memory, and the error says so" {
	timed >in
	for window in '--mode complete window session 1000s'; do
		run --separate-stderr strm -i json -o json --checkpoint "d-$window" --every 500r --mem 1M ${window%% w*} "watermark ts delay 1d | ${window#* * } | count by k" -- in
		[ "$status" -eq 1 ]
		[[ "$stderr" == 'strm: stage 3: count: holds '*' keys, over --mem 1048576'*'what this stage holds stays in memory, with a checkpoint too' ]]
	done
}

@test "killed at any instant what is out of memory goes on" {
	kill_and_go_on 1M --every 500r 'state n = n + v from n = 0 by k'
	kill_and_go_on 2M --every 500r 'window all | reduce n = count(), s = sum(v) by k'
}

# bounded OPTION... PROGRAM: without --mem it would need more than $data KB; the answer is in `got`.
bounded() {
	export data
	# bounds what is not a mapped file: heap, stacks, tables
	run bash -c 'ulimit -d "$data"; rm -rf d; strm --checkpoint d --mem 8M --every 10000r "$@" -- many >got' . "$@"
	[ "$status" -eq 0 ]
	run bash -c 'ulimit -d "$data"; rm -rf e; strm --checkpoint e --every 10000r "$@" -- many >all' . "$@"
	[ "$status" -ne 0 ]
}

@test "memory is bounded while the state is several times as large" {
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	awk 'BEGIN { srand(5); for (i = 0; i < 900000; i++) printf "key-%d-of-many\n", int(rand() * 800000) }' >many
	awk '{ print $0 "\t" ++n[$0] }' many >want
	data=100000
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
	data=70000
	bounded 'window all | count by k = line | top 5 by count'
	cmp want got
	strm checkpoint verify d
}

@test "rules for all keys change those that are out of memory, too" {
	for mem in '' '--mem 4M'; do
		rm -rf d
		strm -i json --checkpoint d --every 500r $mem 'state { on batch { n += 1 } } from n = 0 by k all' -- in
		strm checkpoint export d | sort >"all$mem"
	done
	[ "$(wc -l <all)" -gt 15000 ]
	cmp all 'all--mem 4M'
}
