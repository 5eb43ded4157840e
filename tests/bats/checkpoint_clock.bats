#!/usr/bin/env bats
# What waits for the clock comes out when its time has come, also where a run has no records for it and nobody ran meanwhile. The clock stands at the
# times that the tests say.
bats_require_minimum_version 1.5.0

setup() {
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR" || return 1
	: >in
}

# at TIME ARG...: a run of cron, then.
at() {
	local now=$1
	shift
	STRM_TEST_NOW=$now strm --once --checkpoint d --from in "$@"
}

# runs ARG...: what each run says, by its time; `+WORD` adds a line before the next one.
runs() {
	local when=() program=()
	while [ "$1" != -- ]; do
		when+=("$1")
		shift
	done
	shift
	for t in "${when[@]}"; do
		case $t in
		+*) echo "${t#+}" >>in ;;
		*) at "$t" "$@" | sed "s/^/$t /" ;;
		esac
	done
}

@test "a timeout fires in a run without records, once, in the order of time" {
	run --separate-stderr runs +a 1000 +b 1003 1010 1011 1012 1014 1015 +a 1016 1100 -- -o lines \
		'state { on record { n += 1; timeout 10s } on timeout { emit line = line ++ n; remove } } by line'
	[ "$output" = $'1011 a1\n1014 b1\n1100 a1' ] && [ -z "$stderr" ]
}

@test "a silence is told in a run without records" {
	run --separate-stderr runs +a +b 1000 1001 1002 1003 1004 +b 1005 1007 1008 1009 -- -o lines 'absent 2s by line' 'map line = line'
	[ "$output" = $'1003 a\n1003 b\n1008 b' ] && [ -z "$stderr" ]
}

@test "a trigger of the clock fires in a run without records" {
	run --separate-stderr runs +a +a 1000 1003 1004 1005 +a 1006 1007 +b 1010 1020 -- -o lines 'window all' 'trigger after 4s' 'count by line' \
		'map line = line ++ count'
	[ "$output" = $'1004 a2\n1010 a3\n1020 b1' ] && [ -z "$stderr" ]
}

@test "a group of rows is over in a run without records" {
	run --separate-stderr runs +a +a 1000 1004 1005 1006 +a 1007 1020 -- -o lines 'group 3 rows within 5s' 'map line = len(group)'
	[ "$output" = $'1005 2\n1020 1' ] && [ -z "$stderr" ]
}

@test "a run without records and with nothing due leaves the checkpoint as it is" {
	program=(-o json 'state { on record { n += 1; timeout 10s } on timeout { emit; remove } } by line')
	echo a >>in
	at 1000 "${program[@]}"
	sha256sum d/log* >was
	for t in 1001 1005 1010; do
		run --separate-stderr at $t "${program[@]}"
		[ "$status" -eq 0 ] && [ -z "$output$stderr" ]
		sha256sum -c --quiet was
	done
	run --separate-stderr at 1011 "${program[@]}"
	[ "$output" = '{"line":"a","n":1}' ]
}

# windows LENGTH SLIDE: what windows of the clock hold, from lines "time key" of records, the first of them of the first run. A time is that of the clock when its interval has begun.
windows() {
	awk -v L="$1" -v S="$2" '
		NR == 1 { start = $1 }
		{ t[NR] = $1 + 0.1; k[NR] = $2 }
		END { for (w = start + S; w <= t[NR] + L + S; w += S) {
			n = 0
			split("", c)
			for (i = 1; i <= NR; i++) if (t[i] > w - L && t[i] <= w && !c[k[i]]++) order[++n] = k[i]
			for (i = 1; i <= n; i++) print w, order[i], c[order[i]]
		} }'
}

# cron N LENGTH SLIDE OPTION...: N runs with a few records each, at times with gaps; `records` has them, with their times.
cron() {
	local n=$1 length=$2 slide=$3 now=1000
	shift 3
	RANDOM=$n$length$slide
	: >records
	for ((i = 0; i < n; i++)); do
		for ((r = RANDOM % 4 * (RANDOM % 3 > 0) + !i; r > 0; r--)); do
			echo $now k$((RANDOM % 3)) >>records
			tail -n 1 records | cut -d ' ' -f 2 >>in
		done
		once $now "$@"
		now=$((now + RANDOM % (RANDOM % 5 ? 4 : 40)))
	done
	once $((now + length + slide)) "$@"
}

once() { at "$@"; }

# Behind the windows.
job=('map t = epoch(window_end), line, count' -o tsv --no-header --to file:out)

@test "windows of the clock that end while nobody runs" {
	for window in '10 5' '10 10' '3 1' '20 7' '6 3'; do
		read -r length slide <<<"$window"
		rm -rf d in out
		: >in
		cron 60 "$length" "$slide" --every 1s "window ${length}s every ${slide}s" 'count by line' "${job[@]}"
		windows "$length" "$slide" <records | tr ' ' '\t' >want
		cmp <(sort want) <(sort out)
	done
}

@test "records of windows of the clock that end while nobody runs" {
	for window in '10 5' '10 10' '20 7'; do
		read -r length slide <<<"$window"
		rm -rf d in out
		: >in
		cron 60 "$length" "$slide" --every 1s "window ${length}s every ${slide}s" 'filter line != ""' 'count by line' "${job[@]}"
		windows "$length" "$slide" <records | tr ' ' '\t' >want
		cmp <(sort want) <(sort out)
	done
}

@test "an interval that runs of cron share is one" {
	rm -rf d out
	cron 60 40 20 --every 10s 'window 40s every 20s' 'count by line' "${job[@]}"
	windows 40 20 <records | tr ' ' '\t' >want
	cmp <(sort want) <(sort out)
}

@test "runs that are killed say the same" {
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -fPIC -shared -o crash.so "$SRCDIR/tests/crash/crash.c" -ldl
	# the address sanitizer wants to be the first library
	sanitizer=$(ldd "$BUILDDIR/strm" | awk '/libasan/ { print $3 }')
	killed=0
	# twice, and then to the end
	once() {
		for at in $((RANDOM % 30)) $((RANDOM % 20)); do
			LD_PRELOAD="${sanitizer:+$sanitizer }./crash.so" CRASH_AT=$at CRASH_HOW=after at "$@" 2>/dev/null || killed=$((killed + 1))
		done
		at "$@"
	}
	for window in '10 5' '10 10' '20 7'; do
		read -r length slide <<<"$window"
		rm -rf d in out
		: >in
		cron 30 "$length" "$slide" --every 1s "window ${length}s every ${slide}s" 'count by line' "${job[@]}"
		windows "$length" "$slide" <records | tr ' ' '\t' >want
		cmp <(sort want) <(sort out)
	done
	[ "$killed" -gt 20 ]
}
