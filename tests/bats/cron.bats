#!/usr/bin/env bats
# README's crontab line: the errors of a log that is rotated, counted since the last run; and state that goes on after a kill.
bats_require_minimum_version 1.5.0

setup() {
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR" || return 1
	strm=
}

teardown() { kill -9 $strm 2>/dev/null || true; }

# The line, as cron runs it.
errors() { strm --once --checkpoint errs --from 'app.log?follow' 'filter line =~ /ERROR/' count >>errors.txt; }

# log N: so many lines more, every third an error.
log() { awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) print i % 3 ? "INFO all is well" : "ERROR " i }' >>app.log; }

rotate() {
	for k in 3 2 1; do [ ! -e app.log.$k ] || mv app.log.$k app.log.$((k + 1)); done
	mv app.log app.log.1
	: >app.log
}

@test "each run counts the errors since the last one, whatever became of the log" {
	log 30
	errors
	log 9
	errors
	run --separate-stderr errors
	[ "$status" -eq 0 ] && [ -z "$stderr" ]
	log 3
	rotate
	log 6
	errors
	rotate
	log 12
	rotate
	log 15
	errors
	gzip app.log.2
	rotate
	errors
	log 3
	errors
	[ "$(tr '\n' ' ' <errors.txt)" = '10 3 3 9 1 ' ]
}

@test "no error is missing or counted twice when runs are killed, with rotations between them" {
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -fPIC -shared -o crash.so "$SRCDIR/tests/crash/crash.c" -ldl
	# the address sanitizer wants to be the first library
	sanitizer=$(ldd "$BUILDDIR/strm" | awk '/libasan/ { print $3 }')
	: >app.log
	errors
	want=0
	killed=0
	for at in 1 3 6 9 12 15 18 21 24; do
		log 30
		rotate
		log $((at * 3))
		want=$((want + 10 + at))
		LD_PRELOAD="${sanitizer:+$sanitizer }./crash.so" CRASH_AT=$at CRASH_HOW=after errors 2>/dev/null || killed=$((killed + 1))
		[ $((at % 2)) -eq 0 ] || errors
	done
	errors
	[ "$killed" -gt 4 ]
	[ "$(awk '{ n += $1 } END { print n }' errors.txt)" -eq "$want" ]
}

@test "the word count of three micro-batches, killed after each" {
	: >words
	n=0
	for batch in a 'a b' b; do
		printf '%s\n\f\n' "$batch" >>words
		n=$((n + $(wc -w <<<"$batch")))
		strm --checkpoint d --every mark -F words words 'window all' 'count by word' --to file:out &
		strm=$!
		until [ "$(cat out 2>/dev/null | wc -l)" -eq "$n" ]; do kill -0 $strm; done
		kill -9 $strm
		wait $strm || true
	done
	[ "$(cat out)" = "$(printf 'a\t1\na\t2\nb\t1\nb\t2')" ]
}
