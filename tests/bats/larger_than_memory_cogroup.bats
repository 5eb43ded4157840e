#!/usr/bin/env bats
# Records that a cogroup keeps are more than --mem holds. The answers are those of a run that keeps all in memory.
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

# program_of FRONT WINDOW BACK: three streams by key.
program_of() {
	printf '%sas all\nfrom all | filter v < 3 | %s | as a\nfrom all | filter v == 4 | %s | as b\nfrom all | filter v > 4 | %s | as c\nfrom a | cogroup b, c on k%s' \
		"$1" "$2" "$2" "$2" "$3"
}

@test "records of a cogroup leave memory by key, and come back when the key does or their window is over" {
	while IFS=: read -r front window back; do
		program=$(program_of "$front" "$window" "$back")
		echo "$program"
		run -1 strm -i json --every 500s --replay at --mem 4M "$program" -- in
		in_two all
		in_two some --mem 4M
		STRM_TEST_BATCH=30 in_two three --mem 4M
		[ -s all.out ]
		cmp all.out some.out
		cmp all.out three.out
		strm checkpoint verify some
		rm -r all* some* three*
	done <<-'END'
		:window all: | set b = len(b), n = [len(a), len(c)]
		watermark ts delay 9000s | :window 1000s:
		watermark ts delay 9000s | :window 2000s every 500s: | set a = len(a)
	END
}

@test "killed at any instant a cogroup that is out of memory goes on" {
	kill_and_go_on 4M --every 300s --replay at "$(program_of 'watermark ts delay 9000s | ' 'window 1000s' '')"
}

@test "memory is bounded while the records of a cogroup are several times as large" {
	if ldd "$BUILDDIR/strm" | grep -q san; then skip 'the sanitizers want more'; fi
	awk 'BEGIN { srand(9); for (i = 1; i <= 300000; i++) printf "{\"k\":\"key-%d\",\"v\":%d}\n", int(rand() * 200000), i % 7 }' >in
	export P
	P=$(program_of '' 'window all' ' | map k, n = [len(a), len(b), len(c)]')
	run bash -c 'ulimit -d 110000; strm -i json -o json --checkpoint d --mem 24M --every 5000r "$P" -- in >got'
	[ "$status" -eq 0 ]
	run bash -c 'ulimit -d 110000; strm -i json -o json --checkpoint e --every 5000r "$P" -- in >all'
	[ "$status" -ne 0 ]
	strm -i json -o json --every 5000r "$P" -- in | cmp - got
}
