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

# What waits for a time and what lists are the keys of stays in memory; texts take more.
mem_of() { case $1 in *last* | *g | *timeout* | *'[v]'*) echo 2M ;; *) echo 1M ;; esac; }

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

@test "what waits for a time stays in memory, and the error says so" {
	run --separate-stderr strm -i json -o json --checkpoint d --every 500r --mem 1M \
		'state { on record { n += v; timeout 30s } on timeout { emit k, n } } from n = 0 by k' -- in
	[ "$status" -eq 1 ]
	[[ "$stderr" == 'strm: stage 1: state: holds '*' keys, over --mem 1048576'*'what waits for a time and '*' stays in memory' ]]
}

@test "killed at any instant the state that is out of memory goes on" {
	program='state n = n + v from n = 0 by k'
	strm -i json -o json --every 500r "$program" -- in >want
	for ((i = 1; i <= 200; i++)); do
		strm -i json -o json --checkpoint d --every 500r --mem 1M "$program" --to file:got -- in &
		pid=$!
		[ "$i" -gt 6 ] && { wait "$pid" && break || false; }
		until [ "$(stat -c %s got 2>/dev/null || echo 0)" -ge $((i * 60000)) ] || ! kill -0 "$pid" 2>/dev/null; do :; done
		kill -9 "$pid" 2>/dev/null || :
		wait "$pid" || :
	done
	cmp want got
}

@test "memory is bounded while the state is several times as large" {
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	awk 'BEGIN { srand(5); for (i = 0; i < 900000; i++) printf "key-%d-of-many\n", int(rand() * 800000) }' >many
	# bounds what is not a mapped file: heap, stacks, tables
	run bash -c 'ulimit -d 100000; strm --checkpoint d --mem 8M --every 10000r "state n = n + 1 from n = 0 by k = line" -- many >got'
	[ "$status" -eq 0 ]
	run bash -c 'ulimit -d 100000; strm --checkpoint e --every 10000r "state n = n + 1 from n = 0 by k = line" -- many >all'
	[ "$status" -ne 0 ]
	awk '{ print $0 "\t" ++n[$0] }' many | cmp - got
}
