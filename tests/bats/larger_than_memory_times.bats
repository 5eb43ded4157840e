#!/usr/bin/env bats
# State that is larger than --mem and waits for times, or is gone through whole. The answers are those of a run that keeps all in memory.
bats_require_minimum_version 1.5.0

setup() {
	load larger_than_memory.bash
	export STRM_TEST_NOSYNC=1
	cd "$BATS_TEST_TMPDIR" || return 1
	timed >in
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
		watermark ts delay 20000s | window 1000s | count by k
		watermark ts delay 8000s | window 2000s | trigger watermark early count 1 late count 1, lateness 3000s accumulating | reduce s = sum(v) by k | set p = @pane, t = @timing
	END
}

@test "what waits for a time comes back when it has come" {
	while read -r program; do
		echo "$program"
		case $program in *dedup*) mem=1M ;; *trigger*) mem=6M ;; *'count by'*) mem=4M ;; *) mem=3M ;; esac
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

whole_programs() {
	cat <<-'END'
		state { on record { n += v } on close { emit k, n } } from n = 0 by k
		state { on record { n += v; if v == 3 { remove } } on close { emit k, n, t; n = 0 } } from n = 0, t = "abc" ttl 15000s by k
		state { on batch { if len(@records) > 0 || n % 11 == 0 { n += len(@records) }; if n == 3 { emit k, n } } } from n = 0 by k all
		state { on record { n += v; timeout 15000s } on batch { if n % 100 == 0 { emit k, n; n = n + 1 } } on timeout { emit k, late = n; remove } on close { emit k, n, t = 1 } } from n = 0 by k all
	END
}

@test "rules for all keys are run for those that are out of memory, in the same order" {
	head -n 40000 in >some.in
	mv some.in in
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

@test "killed at any instant what waits for a time out of memory goes on" {
	head -n 30000 in >some.in
	mv some.in in
	kill_and_go_on 1M --every 300s --replay at 'state { on record { n += v; timeout 3000s } on timeout { emit k, n } } from n = 0 by k'
}

@test "killed at any instant windows that are out of memory go on" {
	timed | head -n 30000 >in
	kill_and_go_on 4M --every 300s --replay at 'watermark ts delay 9000s | window 500s | count by k'
}

@test "a run with --mem takes on what one without has kept, and the other way round" {
	program='watermark ts delay 20000s | window 1000s | count by k'
	n=0
	for mem in 24M 5M '' 24M 5M; do
		n=$((n + 12000))
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
