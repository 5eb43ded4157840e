#!/usr/bin/env bats
# Rows of joins that are more than --mem holds. The answers are those of a run that keeps all in memory.
bats_require_minimum_version 1.5.0

setup() {
	load larger_than_memory.bash
	export STRM_TEST_NOSYNC=1
	cd "$BATS_TEST_TMPDIR" || return 1
	timed >in
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

@test "rows of an outer join over the whole stream leave memory too, and come out at the end" {
	head -n 24000 in >some.in
	for kind in left full anti; do
		program=$'as all\nfrom all | filter v < 3 | window all | join (from all | filter v >= 3 | window all) on k '$kind
		for dir in all some; do
			for n in 15000 20000 24000; do
				mem=() drain=()
				[ $n = 24000 ] && drain=(--drain)
				[ $dir = some ] && { [ $n = 24000 ] && mem=(--mem 24M) || mem=(--mem 4M); }
				head -n $n some.in >in
				strm -i json -o json --checkpoint $dir --every 500s --replay at "${mem[@]}" "${drain[@]}" "$program" --to "file:$dir.out" -- in
			done
		done
		[ -s all.out ]
		cmp all.out some.out
		rm -r all* some some.out
	done
	run --separate-stderr strm -i json -o json --every 500s --replay at --mem 4M "$program" -- in
	[ "$status" -eq 1 ]
	[[ "$stderr" == *'strm: stage 5: join: holds '*' keys, over --mem 4194304'* ]]
}

@test "killed at any instant a join that is out of memory goes on" {
	head -n 30000 in >some.in
	mv some.in in
	kill_and_go_on 4M --every 300s --replay at $'watermark ts delay 60s | as all\nfrom all | filter v < 3 | join (from all | filter v >= 3) on k within 9000s left'
}

@test "memory is bounded while the rows of a join are several times as large" {
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	awk 'BEGIN { srand(9); for (i = 1; i <= 400000; i++) printf "{\"k\":\"key-%d\",\"v\":%d}\n", int(rand() * 200000), i % 7 }' >in
	export P=$'as all\nfrom all | filter v < 3 | window all | join (from all | filter v >= 3 | window all) on k'
	run bash -c 'ulimit -d 120000; strm -i json -o json --checkpoint d --mem 24M --every 5000r "$P" -- in >got'
	[ "$status" -eq 0 ]
	run bash -c 'ulimit -d 120000; strm -i json -o json --checkpoint e --every 5000r "$P" -- in >all'
	[ "$status" -ne 0 ]
	strm -i json -o json --every 5000r "$P" -- in >all
	cmp got all
}
