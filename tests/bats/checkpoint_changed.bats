#!/usr/bin/env bats
# Checkpoints over restarts with other options or outputs: what the run before has begun is finished as it was, or it is said why not.
bats_require_minimum_version 1.5.0

setup() {
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR" || return 1
}

shim() { ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -fPIC -shared -o crash.so "$SRCDIR/tests/crash/crash.c" -ldl; }

# dies FILE ARG...: a run that is killed when the first bytes of an output are written and not committed: there is a FILE then that is not empty.
dies() {
	local file=$1 at sanitizer
	shift
	shim
	# the address sanitizer wants to be the first library
	sanitizer=$(ldd "$BUILDDIR/strm" | awk '/libasan/ { print $3 }')
	for at in $(seq 3 30); do
		rm -rf d "$file"
		LD_PRELOAD="${sanitizer:+$sanitizer }./crash.so" CRASH_AT=$at CRASH_HOW=torn strm --checkpoint d "$@" 2>/dev/null || true
		[ ! -s "$file" ] || return 0
	done
	return 1
}

# stretches INPUT N: its first N stretches, each with its mark.
stretches() { awk -v n="$2" 'n > 0 { print } /^\f/ { n-- }' "$1.all" >"$1"; }

@test "the watermarks of several marked inputs stand where they stood" {
	printf '%s\n' 10 $'\fwatermark=100' 105 $'\f' 130 $'\fwatermark=120' 150 $'\fwatermark=200' $'\f' >a.all
	printf '%s\n' 12 $'\fwatermark=50' 60 $'\fwatermark=55' 70 58 $'\f' 90 $'\f' 95 $'\fwatermark=110' >b.all
	for marks in '' --marks; do
		for live in '' '?follow'; do
			job() { strm --once --checkpoint d --every mark $marks --from "file:a$live" --from "file:b$live" 'watermark time(line) explicit' \
				'window 10s on time(line)' 'count as n' 'map t = @window_start, n' >>out; }
			rm -rf d out
			cp a.all a && cp b.all b && job && mv out want
			rm -rf d
			for n in 1 2 3 4 5; do stretches a $n && stretches b $n && job; done
			cmp out want
			[ "$(grep -c : want)" -ge 6 ]
		done
	done
}

@test "a file that is an output under another name is gone on with" {
	seq 100 >in
	dies out 'filter true' --to file:out -- in
	[ "$(wc -c <out)" -lt 292 ]
	strm --checkpoint d 'filter true' --to "file:$PWD/out" -- in
	cmp in out
}

@test "a file that is no output any more and holds some of a micro-batch is refused" {
	seq 100 >in
	dies out 'filter true' --to file:out -- in
	n=$(wc -c <out)
	run --separate-stderr strm --checkpoint d 'filter true' --to file:other -- in
	[ "$status" -eq 1 ]
	[ "$stderr" = "strm: file:out: has $n bytes of micro-batch 0, which was not committed, and is no output of the program any more
hint: run the program as it was, once, or cut the file at byte 0" ]
	strm --checkpoint d 'filter true' --to file:out -- in
	cmp in out
	seq 101 110 >>in
	strm --checkpoint d 'filter true' --to file:other -- in
	[ "$(cat out other)" = "$(cat in)" ]
}

@test "an output that was renamed meanwhile holds some of a micro-batch, and that is said" {
	seq 100 >in
	dies out 'filter true' --to file:out -- in
	mv out out.1
	run --separate-stderr strm --checkpoint d 'filter true' --to file:out -- in
	[ "$status" -eq 0 ]
	[ "$stderr" = "strm: out: is not the file that micro-batch 0 was begun in; what that one has of it comes here again" ]
	cmp in out
}

@test "another format of an output does not go on in mid-record" {
	seq 100 >in
	dies out 'map n = line' --to 'file:out?format=json' -- in
	n=$(wc -c <out)
	run --separate-stderr strm --checkpoint d 'map n = line' --to 'file:out?format=csv' -- in
	[ "$status" -eq 1 ]
	[ "${stderr%%$'\n'*}" = "strm: out: bytes 0 to $n were not written by strm: they are not what micro-batch 0 writes there" ]
	[ "$(wc -c <out)" -eq "$n" ]
	strm --checkpoint d 'map n = line' --to 'file:out?format=json' -- in
	jq -r .n out | cmp - in
}

@test "outputs change places" {
	seq 100 >in
	dies a 'to file:a' 'filter line % 2 == 0' --to file:b -- in
	strm --checkpoint d 'filter line % 2 == 0' 'to file:b' --to file:/dev/null -- in 2>/dev/null && false
	strm --checkpoint d 'to file:a' 'filter line % 2 == 0' --to file:b -- in
	cmp a in
	seq 2 2 100 | cmp b -
}

@test "a file that is named otherwise, followed, or read beside others goes on where it stood" {
	seq 5 >log
	strm -q --checkpoint d --from log 'filter true' --to file:out
	seq 6 7 >>log
	strm -q --checkpoint d 'filter true' --to file:out -- "$PWD/log"
	seq 8 9 >>log
	strm -q --checkpoint d --once -F log 'filter true' --to file:out
	echo 10 >>log
	strm -q --checkpoint d --once -F log --from 'exec:echo 11' 'filter true' --to file:out
	seq 12 13 >>log
	strm -q --checkpoint d --from log 'filter true' --to file:out
	[ "$(cat out)" = "$(seq 13)" ]
}

@test "what was logged of an input that is gone is refused, unless the loss is accepted" {
	mkfifo in
	strm --checkpoint d --every 1h --from in 'filter true' --to file:out 3>&- &
	job=$!
	exec 7>in
	printf 'a\nb\n' >&7
	until [ "$(cat d/wal.* 2>/dev/null | tr -dc ab)" = ab ]; do kill -0 $job; done
	kill -9 $job
	wait $job || true
	exec 7>&-
	seq 2 >other
	for live in '' '?follow'; do
		run --separate-stderr strm --once --checkpoint d --from "file:other$live" 'filter true' --to file:out
		[ "$status" -eq 1 ]
		[ "$stderr" = "strm: in: 4 bytes that came in were not processed, and it is no input of the job any more
hint: run the job with that input until they are, or drop them: --accept-loss" ]
	done
	run --separate-stderr strm --once --checkpoint d --accept-loss --from other 'filter true' --to file:out
	[ "$status" -eq 0 ]
	[ "$stderr" = "strm: in: 4 bytes that came in were not processed, and it is no input of the job any more: they are dropped" ]
	run --separate-stderr strm --once --checkpoint d --from other 'filter true' --to file:out
	[ "$status" -eq 0 ] && [ -z "$stderr" ]
	[ "$(cat out)" = "$(seq 2)" ]
}

@test "what a connection left and another address does not read is refused" {
	seq 100000 | "$BUILDDIR/tests/soak/feed" serve 0 >at 2>/dev/null 3>&- &
	until [ -s at ]; do :; done
	strm --checkpoint d --every 1h --from "tcp://127.0.0.1:$(cat at)" 'filter true' --to file:out 2>/dev/null 3>&- &
	job=$!
	until grep -qsax 1000 d/wal.*; do kill -0 $job; done
	kill -9 $job
	wait $job || true
	run --separate-stderr strm --checkpoint d --every 10ms --from udp://127.0.0.1:0 'filter true' --to file:out
	[ "$status" -eq 1 ]
	[[ $stderr == "strm: tcp://127.0.0.1:$(cat at): "*' bytes that came in were not processed, and it is no input of the job any more'* ]]
}

@test "a file goes on in another format only where no line with names of columns would be looked for" {
	printf 'a,b\n1,2\n' >in
	strm -q --checkpoint d --from in 'filter true' --to file:out
	printf '3,4\n' >>in
	run --separate-stderr strm -q --checkpoint d -i csv -o lines --from in 'map line = a' --to file:out
	[ "$status" -eq 1 ]
	[ "$stderr" = "strm: in: was read as lines so far, and cannot be gone on with as csv
hint: read it as it was, or begin it anew with another --checkpoint" ]
	run --separate-stderr strm --checkpoint d -i csv -o lines --once --from 'file:in?follow' 'map line = a' --to file:out
	[ "$status" -eq 1 ]
	strm -q --checkpoint d --from in 'filter true' --to file:out
	strm -q --checkpoint d --from in words --to file:out
	cmp in out
}

@test "what starts anew under another option is said, and a variable counts where it is named" {
	seq 3 >in
	job() { strm --checkpoint d "$@" -- in; }
	program=('state n += line * $k by line' 'filter n > $min' 'window all' 'count by line')
	run --separate-stderr job -v k=1 -v min=0 "${program[@]}"
	[ -z "$stderr" ]
	run --separate-stderr job -v k=1 -v min=1 "${program[@]}"
	[ -z "$stderr" ]
	run --separate-stderr job -v k=2 -v min=1 "${program[@]}"
	[ "$stderr" = 'strm: d: "state n += line * $k by line" means something else than it did: it starts anew, and what it kept (3 entries) is dropped
strm: d: "count by line as count" means something else than it did: it starts anew, and what it kept (3 entries) is dropped' ]
	run --separate-stderr job 'filter true' 'dedup by line' 'count by line'
	[ "$stderr" = 'strm: d: "dedup by line" is new: it starts with nothing' ]
	echo 4 >>in
	job 'dedup by line'
	echo 5 >>in
	run --separate-stderr job --tz Europe/Oslo 'dedup by line'
	[ "$stderr" = 'strm: d: "dedup by line" means something else than it did: it starts anew, and what it kept (1 entries) is dropped' ]
	run --separate-stderr job 'count by line'
	[ "$stderr" = 'strm: d: "dedup by line" is no stage of the program any more: what it kept (1 entries) is dropped' ]
}

@test "a directory goes on where it stood, however it is named and whatever the options" {
	mkdir in
	job() { strm --once --checkpoint d --every 100r "$@" 'filter true' --to file:out; }
	echo 1 >in/1.log
	job --from 'dir:in?glob=*.log'
	echo 2 >in/2.txt
	job --from 'dir:in?glob=*'
	echo 3 >in/3.txt
	job --from dir:in/
	echo 4 >in/4.log
	job --from "dir:$PWD/in?settle=0s"
	mkdir other
	echo 5 >other/5.log
	job --from dir:other
	[ "$(cat out)" = "$(seq 5)" ]
	job --from dir:in --from 'dir:in?glob=*.log'
	run --separate-stderr job --from 'dir:in?glob=*.txt'
	[ "$status" -eq 1 ]
	[ "$stderr" = 'strm: dir:in?glob=*.txt: was read as "dir:in" and as "dir:in?glob=*.log" so far: which of them goes on cannot be told
hint: change the options of one input at a time' ]
}

@test "what a connection left is processed when the address has other options" {
	seq 100000 | "$BUILDDIR/tests/soak/feed" serve 0 >at 2>/dev/null 3>&- &
	until [ -s at ]; do :; done
	strm --checkpoint d --every 1h --from "tcp://127.0.0.1:$(cat at)" 'filter true' --to file:out 2>/dev/null 3>&- &
	job=$!
	until grep -qsax 1000 d/wal.*; do kill -0 $job; done
	kill -9 $job
	wait $job || true
	strm --checkpoint d --every 10ms --from "tcp://127.0.0.1:$(cat at)?retry=1000" 'filter true' --to file:out 2>/dev/null 3>&- &
	job=$!
	until [ -s out ]; do kill -0 $job; done
	kill $job
	wait $job || true
	seq 100000 | head -n "$(wc -l <out)" | cmp - out
}

@test "once ends with the connection, and does not wait for a server" {
	for options in '' '?retry=1000000'; do
		seq 5 | "$BUILDDIR/tests/soak/feed" serve 0 >at 2>/dev/null 3>&- &
		until [ -s at ]; do :; done
		strm --once --checkpoint d --from "tcp://127.0.0.1:$(cat at)$options" 'filter true' --to file:out
		rm at
	done
	[ "$(cat out)" = "$(seq 5; seq 5)" ]
	run --separate-stderr strm --once --checkpoint d --from unix:nobody 'filter true' --to file:out
	[ "$status" -eq 1 ]
	[ "$stderr" = "strm: unix:nobody: no such file or directory" ]
	run --separate-stderr strm --once --checkpoint d --from 'unix:nobody?retry=1' 'filter true' --to file:out
	[ "$status" -eq 1 ]
	[ "${stderr##*$'\n'}" = "strm: unix:nobody: no such file or directory, given up after 1 tries" ]
}
