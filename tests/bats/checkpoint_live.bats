#!/usr/bin/env bats
# Checkpoints of input that comes when it likes: directories, files that are followed, connections, pipes, commands.
bats_require_minimum_version 1.5.0

setup() {
	PATH="$BUILDDIR:$BUILDDIR/tests/soak:$PATH"
	cd "$BATS_TEST_TMPDIR" || return 1
	strm=
}

teardown() { kill -9 $strm 2>/dev/null || true; }

# once ARG...: what has come since the last run is added to out.
once() { command strm -q --once --checkpoint d "$@" --to file:out; }

# start ARG...: in the background, until it listens.
start() {
	command strm --checkpoint d "$@" --to file:out 2>>err 6>&- 7>&- &
	strm=$!
}

# start_piped FIFO ARG...: with that as standard input.
start_piped() {
	local in=$1
	shift
	command strm --checkpoint d "$@" --to file:out <"$in" 2>>err 7>&- &
	strm=$!
}

# comes COMMAND...: waits until it succeeds.
comes() { until "$@"; do kill -0 $strm; done; }

has_lines() { [ "$(cat out 2>/dev/null | wc -l)" -ge "$1" ]; }

listens() { port=$(sed -n "s/.*listening on 127.0.0.1://p" err | sed -n "$1p") && [ -n "$port" ]; }

killed() { kill -9 $strm; wait $strm 2>/dev/null || true; }

is() { [ "$(tr '\n' ' ' <out)" = "$1 " ]; }

@test "the files of a directory are read once each, over all runs" {
	mkdir in
	seq 3 >in/a
	once --from dir:in 'filter true'
	mv in/a in/z
	once --from dir:in 'filter true'
	seq 4 5 >in/b
	once --from dir:in 'filter true'
	seq 6 >>in/z
	once --from dir:in 'filter true'
	is '1 2 3 4 5'
}

# known: how many files of directories the checkpoint remembers.
known() { strm checkpoint ls d -o json | jq -s '[.[] | select(.kind == "read") | .keys] | add // 0'; }

@test "files that are gone from a directory are forgotten, and a new one of their name is read" {
	mkdir in
	for day in 1 2 3 4 5; do
		rm -f in/*
		for i in 1 2 3; do echo "$day.$i" >in/$i; done
		once --from dir:in 'filter true'
		mv in/1 in/other
		once --from dir:in 'filter true'
	done
	[ "$(sort out)" = "$(for day in 1 2 3 4 5; do for i in 1 2 3; do echo "$day.$i"; done; done)" ]
	[ "$(known)" -eq 3 ]
	rm in/*
	echo new >in/1
	once --from dir:in 'filter true'
	[ "$(known)" -eq 1 ]
	[ "$(tail -n 1 out)" = new ]
}

@test "files that go while a directory is watched are forgotten, those that are renamed are not" {
	mkdir in
	start --every 10ms --from 'dir:in?rescan=100ms' 'filter true'
	arrives() { echo $1 >in/.$1 && mv in/.$1 in/$1 && comes has_lines $1; }
	for i in $(seq 20); do
		arrives $i
		mv in/$i in/z$i
		[ $i -le 3 ] || rm in/z$((i - 3))
	done
	until [ "$(known)" -le 6 ]; do
		i=$((i + 1))
		arrives $i
		rm in/$i
	done
	killed
	mv in/z20 in/y
	once --from 'dir:in?rescan=100ms' 'filter true'
	[ "$(cat out)" = "$(seq $i)" ]
}

@test "a file of a directory that was read in part is gone on with, grown and under another name" {
	mkdir in
	seq 10 >in/a
	once --every 3r --from dir:in 'limit 6'
	seq 11 13 >>in/a
	mv in/a in/other
	once --every 3r --from dir:in 'filter true' 2>/dev/null
	[ "$(cat out)" = "$(seq 13)" ]
}

@test "a file of a directory that was read in part and is gone is an error" {
	mkdir in
	seq 10 >in/a
	once --every 3r --from dir:in 'limit 6'
	rm in/a
	seq 20 21 >in/b
	run --separate-stderr once --from dir:in 'limit 8'
	[ "$status" -eq 1 ]
	[ "$stderr" = "strm: $(realpath in)/a: is not the file that was read up to byte 0, and no other beside it is
hint: bring it back beside it, as a.1, or go on without the rest of it: --accept-loss" ]
	once --accept-loss --from dir:in 'limit 8' 2>/dev/null
	is '1 2 3 4 5 6 20 21'
}

@test "a log that was rotated twice since, copied and cut, packed: each line once" {
	seq 5 >log
	once -F log 'filter true'
	seq 6 8 >>log
	cp log log.1
	seq 20 22 >log
	once -F log 'filter true'
	mv log log.2
	seq 30 32 >log.1
	seq 40 42 >log
	touch -d '20 minutes ago' log.2
	touch -d '10 minutes ago' log.1
	once -F log 'filter true'
	echo 43 >>log
	mv log log.3
	touch -d '5 minutes ago' log.3
	gzip log.3
	echo 50 >log.4
	touch -d '4 minutes ago' log.4
	echo 60 >log
	once -F log 'filter true'
	once -F log 'filter true'
	is '1 2 3 4 5 6 7 8 20 21 22 30 31 32 40 41 42 43 50 60'
}

@test "a log that was empty at the last run, and rotated since" {
	: >log
	once -F log 'filter true'
	seq 3 >log
	mv log log.1
	seq 4 5 >log
	once -F log 'filter true'
	mv log log.2
	: >log
	once -F log 'filter true'
	seq 6 7 >>log
	mv log log.3
	: >log
	once -F log 'filter true'
	is '1 2 3 4 5 6 7'
}

@test "a log that was cut and has no copy is an error, unless the loss is accepted" {
	seq 5 >log
	once -F log 'filter true'
	echo 7 >log
	run --separate-stderr once -F log 'filter true'
	[ "$status" -eq 1 ]
	[ "$stderr" = "strm: $(realpath log): is not the file that was read up to byte 10, and no other beside it is
hint: bring it back beside it, as log.1, or go on without the rest of it: --accept-loss" ]
	run --separate-stderr strm --once --checkpoint d --accept-loss -F log 'filter true' --to file:out
	[ "$stderr" = "strm: input that was read before is gone; what is there is read from its start" ]
	is '1 2 3 4 5 7'
}

@test "a log of which only a line without an end was there, copied and cut" {
	for log in log 'file:log?follow'; do
		rm -rf d out log*
		printf 12 >log
		once --from "$log" 'filter true'
		echo 3 >>log
		cp log log.1
		seq 4 5 >log
		once --from "$log" 'filter true'
		is '123 4 5'
	done
}

@test "a log that was empty and has a new inode, with nothing beside it, is an error" {
	: >log
	once --from log 'filter true'
	mkdir old
	mv log old
	seq 3 >log
	run --separate-stderr once --from log 'filter true'
	[ "$status" -eq 1 ]
	[ "$stderr" = "strm: $(realpath log): is not the file that was read up to byte 0, and no other beside it is
hint: bring it back beside it, as log.1, or go on without the rest of it: --accept-loss" ]
	once --accept-loss --from log 'filter true' 2>/dev/null
	is '1 2 3'
}

@test "a copy beside a log that was not cut, or was packed before, is not read" {
	for log in log 'file:log?follow'; do
		rm -rf d out log*
		seq 2 | gzip >log.2.gz
		: >log
		once --from "$log" 'filter true'
		seq 3 5 >log
		cp log log.1
		once --from "$log" 'filter true'
		seq 6 7 >>log
		cp log log-20260101
		gunzip log.2.gz
		once --from "$log" 'filter true'
		is '3 4 5 6 7'
	done
}

@test "a log that was cut behind what was read of it goes on there, and that is said" {
	seq 9 >log
	once --every 2r --from log 'limit 4'
	seq 4 >log
	seq 20 21 >>log
	run --separate-stderr strm --once --checkpoint d --from log 'limit 4' --to file:out
	[ "$status" -eq 1 ]
	rm -rf d out
	printf '1\n2\n3' >log
	once --from log 'filter true'
	printf '1\n2\n4\n' >log
	run --separate-stderr strm --once --checkpoint d --from log 'filter true' --to file:out
	[ "$stderr" = "strm: $(realpath log): what it held behind byte 4 is not there any more; it is read on from there" ]
	is '1 2 4'
}

@test "a line without an end waits for it, and with --drain is one" {
	printf 'a\nb' >log
	once -F log 'filter true'
	is a
	printf 'b\nc' >>log
	once -F log 'filter true'
	is 'a bb'
	once --drain -F log 'filter true'
	is 'a bb c'
	printf 'd\n' >>log
	once -F log 'filter true'
	is 'a bb c d'
}

@test "a run that finds nothing new is silent and leaves the output alone" {
	seq 3 >log
	once -F log 'window all' 'count'
	cp -p out before
	run --separate-stderr once -F log 'window all' 'count'
	[ "$status" -eq 0 ] && [ -z "$output$stderr" ]
	cmp out before
	[ out -nt before ] || [ ! before -nt out ]
}

@test "a file that is read once has grown since, behind a micro-batch of some of its records" {
	seq 10 >log
	strm --checkpoint d --every 4r 'filter true' --to file:out -- log
	seq 11 15 >>log
	strm --checkpoint d --every 4r 'filter true' --to file:out -- log
	[ "$(cat out)" = "$(seq 15)" ]
}

@test "a log that is followed goes on where a killed run stood" {
	seq 5 >log
	start --every 10ms -F log 'filter true'
	comes has_lines 5
	seq 6 9 >>log
	comes has_lines 9
	killed
	mv log log.1
	seq 10 12 >>log.1
	seq 13 15 >log
	start --every 10ms -F log 'filter true'
	comes has_lines 15
	killed
	[ "$(cat out)" = "$(seq 15)" ]
}

@test "what came over connections and was not committed is in the checkpoint" {
	start --every 1h --from tcp-listen://127.0.0.1:0 'count by line'
	comes listens 1
	printf 'apple\npear\napple\n' >"/dev/tcp/127.0.0.1/$port"
	printf 'apple\n' >"/dev/tcp/127.0.0.1/$port"
	until [ "$(cat d/wal.* 2>/dev/null | grep -aoE 'apple|pear' | wc -l)" -eq 4 ]; do kill -0 $strm; done
	killed
	start --every 20ms --from tcp-listen://127.0.0.1:0 'window all' 'count by line'
	comes has_lines 2
	killed
	[ "$(sort out)" = "$(printf 'apple\t3\npear\t1')" ]
}

@test "the words of a server, counted over runs that are killed" {
	mkfifo typed held
	# the port stays theirs while no server has it
	feed hold <held >port0 &
	exec 6>held
	until [ -s port0 ]; do kill -0 $!; done
	feed serve "$(cat port0)" <typed >port 6>&- &
	server=$!
	exec 7>typed
	until [ -s port ]; do kill -0 $server; done
	start --every 10ms --from "tcp://127.0.0.1:$(cat port)" 'state n = n + 1 from n = 0 by line'
	printf 'a\na\nb\n' >&7
	comes has_lines 3
	killed
	exec 7>&-
	kill $server 2>/dev/null || true
	feed serve "$(cat port)" <typed >port2 6>&- &
	server=$!
	exec 7>typed
	until [ -s port2 ]; do kill -0 $server; done
	start --every 10ms --from "tcp://127.0.0.1:$(cat port)" 'state n = n + 1 from n = 0 by line'
	printf 'b\na\n' >&7
	comes has_lines 5
	exec 7>&-
	kill $server 2>/dev/null || true
	killed
	[ "$(cat out)" = "$(printf 'a\t1\na\t2\nb\t1\nb\t2\na\t3')" ]
}

# Lines "ROUND K": of each round the first ones are there, once each, in their order.
in_order() { awk '$2 != ++n[$1] { print "line " NR ": " $0; bad = 1 } END { exit bad }' out; }

# rounds URL [AT]: five runs, killed while lines come in from a server at AT (of TCP a port, 0: whatever is free) that is another one for each, or from a
# command. In the end all that the last one sends is there.
rounds() {
	local url=$1 at=${2-} round
	rm -rf d out
	for round in 1 2 3 4 5; do
		echo $round >round
		rm -f at
		if [ -n "$at" ]; then
			seq -f "$round %.0f" 2000 | feed serve "$at" >at 2>/dev/null 3>&- &
			server=$!
			until [ -s at ]; do kill -0 $server; done
			at=$(cat at)
		fi
		start --every 1ms --from "${url/PORT/$at}" 'filter true'
		if [ $round -lt 5 ]; then comes grep -qs "^$round " out; else comes grep -qsx '5 2000' out; fi
		killed
		[ -z "$at" ] || wait $server || true
	done
	in_order
}

@test "lines from a server or a command, killed while they come" {
	rounds tcp://127.0.0.1:PORT 0
	rounds "unix:$PWD/sock" "$PWD/sock"
	rounds 'exec:seq -f "$(cat round) %.0f" 2000 && sleep 3'
}

@test "records that are made go on behind the last one, over runs that are killed" {
	local rate n from='gen:start=2024-01-01T00:00:00.5&rate='
	for rate in 7 3000 333333; do
		rm -rf d out
		for n in 1 2 3 4; do
			start --every 5ms --from "$from$rate" 'map timestamp, value' -o csv
			n=$(cat out 2>/dev/null | wc -l)
			comes has_lines $((n + 3))
			killed
		done
		awk -v rate=$rate -v n="$(wc -l <out)" 'BEGIN {
			print "timestamp,value"
			for (k = 0; k < n - 1; k++) {
				half = int(k / rate) * 2 + 1
				ns = int(k % rate * 1000000000 / rate) + half % 2 * 500000000
				s = int(half / 2) + int(ns / 1000000000)
				fraction = sprintf(".%09d", ns % 1000000000)
				sub(/0+$/, "", fraction)
				printf "2024-01-01T00:%02d:%02d%sZ,%d\n", s / 60, s % 60, fraction == "." ? "" : fraction, k
			}
		}' | cmp - out
	done
}

@test "records that are made up to a number are made once" {
	for i in 1 2; do strm -q --checkpoint d --from 'gen:rate=1000&rows=50' 'map value' -o csv --to file:out; done
	[ "$(cat out)" = "$(echo value && seq 0 49)" ]
}

@test "what is piped in is another stream than the one that a killed run left, from its first byte on" {
	mkfifo typed
	start_piped typed --every 1h 'filter true'
	exec 7>typed
	printf 'a\nb' >&7
	until [ "$(cat d/wal.* 2>/dev/null | tr -dc ab)" = ab ]; do kill -0 $strm; done
	killed
	exec 7>&-
	start_piped typed --every 10ms 'filter true'
	exec 7>typed
	comes has_lines 1
	printf 'c\n' >&7
	comes has_lines 2
	printf 'd\n' >&7
	exec 7>&-
	status=0
	wait $strm || status=$?
	[ "$status" -eq 4 ]
	[ "$(grep -c 'bad record: cut off' err)" -eq 1 ]
	is 'a c d'
}

@test "a log of input that has lost its end is an error, whatever the micro-batches" {
	for every in 2r 10ms; do
		rm -rf d out
		seq 9 | command strm --checkpoint d --every $every 'filter true' --to file:out
		truncate -s 100 d/wal.*
		run --separate-stderr strm --checkpoint d --every $every 'filter true' --to file:out <<<10
		echo "$stderr"
		[ "$status" -eq 1 ]
		[[ "$stderr" =~ ^"strm: d: the log of input "[12]" ends at byte "[0-9]+", and "[0-9]+" were taken off it: its end is missing"$ ]]
		is '1 2 3 4 5 6 7 8 9'
	done
}

@test "datagrams are in the log too" {
	start --every 10ms --from udp://127.0.0.1:0 'state n = n + 1 from n = 0 by line'
	comes listens 1
	echo a >"/dev/udp/127.0.0.1/$port"
	comes has_lines 1
	killed
	start --every 10ms --from udp://127.0.0.1:0 'state n = n + 1 from n = 0 by line'
	port=
	comes listens 2
	echo a >"/dev/udp/127.0.0.1/$port"
	comes has_lines 2
	killed
	[ "$(cat out)" = "$(printf 'a\t1\na\t2')" ]
}

@test "a command is run anew by each run, and all of its lines count" {
	for i in 1 2 3; do
		once --from 'exec:seq 3' 'window all' count
	done
	is '3 6 9'
}

@test "several inputs: a directory, a log and a command, in their order" {
	mkdir in
	seq 2 >in/a
	seq 3 4 >log
	once --from dir:in -F log --from 'exec:seq 5 6' 'filter true'
	seq 7 8 >in/b
	seq 9 10 >>log
	once --from dir:in -F log --from 'exec:seq 11 12' 'filter true'
	[ "$(cat out)" = "$(seq 12)" ]
}

@test "marks of a log that is followed cut the same micro-batches after a restart" {
	printf 'a\na\n\f clock=+10s\nb\n' >log
	start --every mark -F log 'count by line' 'set b = @batch, t = epoch(@time)'
	comes has_lines 1
	killed
	printf 'b\n\f clock=+10s\nc\n\f\n' >>log
	start --every mark -F log 'count by line' 'set b = @batch, t = epoch(@time)'
	comes has_lines 3
	killed
	[ "$(cat out)" = "$(printf 'a\t2\t0\t10\nb\t2\t1\t20\nc\t1\t2\t20')" ]
}

@test "an input that only listens is not read once" {
	for source in tcp-listen://:0 udp://:0 unix-listen:x; do
		run --separate-stderr command strm --once --checkpoint d --from "$source" count
		[ "$status" -eq 2 ]
		[ "$stderr" = "strm: --once: $source only listens: there is no telling when all has come
hint: let it run without --once, or read what another program has gathered in a file or directory" ]
	done
}

@test "a state's first values come from a file that a restart does not need" {
	printf 'k,n\na,5\n' >first.csv
	printf 'a\n' >log
	once -F log 'state n = n + 1 from "first.csv" by k = line'
	rm first.csv
	echo a >>log
	once -F log 'state n = n + 1 from "first.csv" by k = line'
	is 'a	6 a	7'
}

# committed N: the micro-batch is in the log.
committed() { strm checkpoint ls d -o json 2>/dev/null | jq -se "map(select(.batch >= $1)) | length > 0" >/dev/null; }

@test "a micro-batch is in the log when nothing more comes, not only with the next one" {
	local every
	mkfifo in
	for every in 1r 1ms mark; do
		rm -rf d out
		start_piped in --every "$every" 'filter true'
		exec 7>in
		printf 'a\n\f\n' >&7
		comes committed 0
		exec 7>&-
		wait $strm
	done
}
