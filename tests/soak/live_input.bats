#!/usr/bin/env bats
# Live input under load: nothing lost, nothing doubled, memory constant. SOAK=long for the long forms.
# What comes is numbered from 0, so a count and a sum tell whether all of it came, once. `limit` ends the run at the last record.
bats_require_minimum_version 1.5.0

setup() {
	PATH="$BUILDDIR:$BUILDDIR/tests/soak:$PATH:/usr/sbin"
	cd "$BATS_TEST_TMPDIR" || return 1
	strm= other=
	long=
	[ "${SOAK:-}" != long ] || long=1
	ulimit -n 4096 2>/dev/null || [ "$(ulimit -n)" -ge 1100 ] || skip 'too few open files are allowed'
}

teardown() { kill $strm $other 2>/dev/null || true; }

# start N ARG...: strm in the background on numbered lines, until it has had N; counts and sums each micro-batch in the file out.
start() {
	strm -i columns --header i,k -o columns "${@:2}" "limit $1" 'reduce n = count(), s = sum(i) by k' 'reduce n = sum(n), s = sum(s)' >out 2>err &
	strm=$!
}

# The port that the system chose for strm.
port() {
	until grep -q 'listening on' err; do kill -0 "$strm"; done
	sed -n 's/.*listening on .*://p' err
}

# whole N [STATUS]: strm ends by itself with this status and has had lines 0 to N - 1, each once.
whole() {
	wait "$strm" && ended=0 || ended=$?
	[ "$ended" = "${2:-0}" ]
	awk '{ n += $1; s += $2 } END { printf "%.0f %.0f\n", n, s }' out >got
	awk -v n="$1" 'BEGIN { printf "%.0f %.0f\n", n, n * (n - 1) / 2 }' | diff - got
}

sanitized() { grep -q '__[at]san_init' "$BUILDDIR/strm"; }

@test "a client that sends 100,000 lines a second" {
	n=300000 rate=0
	[ -z "$long" ] || n=6000000 rate=100000
	start $n --from tcp-listen://127.0.0.1:0 --every 100ms
	feed lines "$(port)" $n $rate "$strm" >memory
	whole $n
	read -r first most seconds <memory
	[ -z "$long" ] || echo "# figure: resident: $first kB after a tenth, $most kB at most; $n lines in $seconds s" >&3
	sanitized || [ $((most - first)) -lt 8192 ]
	[ -z "$long" ] || [ "${seconds%.*}" -le 61 ]
}

@test "a thousand clients whose lines come in pieces" {
	per_client=20
	[ -z "$long" ] || per_client=1000
	start $((1000 * per_client)) --from tcp-listen://127.0.0.1:0 --every 100ms
	feed many "$(port)" 1000 $per_client
	whole $((1000 * per_client))
}

@test "more clients than are let in at a time wait for their turn" {
	start 4000 --from 'tcp-listen://127.0.0.1:0?max-clients=7' --every 100ms
	at=$(port)
	for c in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
		awk -v c=$c 'BEGIN { for (i = 0; i < 200; i++) print c * 200 + i, i }' >"/dev/tcp/127.0.0.1/$at" &
	done
	whole 4000
}

@test "a client that sends half a line and hangs up" {
	start 1001 --from tcp-listen://127.0.0.1:0 --every 100ms
	at=$(port)
	feed half "$at" rst '4 7
5 half a li'
	feed half "$at" fin '1000 0'
	until grep -q 'bad record: .*: "5 half a li"$' err; do kill -0 "$strm"; done
	for i in 0 1 2 3; do feed half "$at" fin "$i $i"; done
	awk 'BEGIN { for (i = 5; i < 1000; i++) print i, i }' >"/dev/tcp/127.0.0.1/$at"
	whole 1001 4
}

@test "ten thousand files that come into a watched directory" {
	mkdir in
	start 30000 --from 'dir:in?glob=f*' --every 100ms
	feed files in 10000 3
	whole 30000
}

@test "files that come into a directory below a directory" {
	mkdir -p in/a/b
	start 3000 --from 'dir:in?recursive&glob=f*' --every 100ms
	feed files in/a/b 1000 3
	whole 3000
}

@test "a disk that is full is an error that names the micro-batch" {
	run --separate-stderr strm --from 'gen:rate=1000000&rows=1000000' --every 10ms count --to file:/dev/full
	[ "$status" = 1 ]
	[ "${stderr_lines[0]}" = 'strm: /dev/full: No space left on device' ]
	[[ "${stderr_lines[1]}" = 'hint: micro-batch '*' was not delivered' ]]
	run --separate-stderr bash -c 'strm --from "gen:rate=1000000&rows=1000000" "filter true" >/dev/full'
	[ "$status" = 1 ]
}

@test "a file that may not grow further is an error, and what it holds is whole records but the last" {
	run --separate-stderr bash -c 'ulimit -f 8; seq 100000 | strm "filter true" --to file:part'
	[ "$status" = 1 ]
	[ "${stderr_lines[0]}" = 'strm: part: File too large' ]
	cmp -n "$(stat -c %s part)" part <(seq 100000)
	run --separate-stderr bash -c 'ulimit -f 8; seq 100000 | strm "filter true" >part'
	[ "$status" = 1 ]
}

@test "a log that is written and rotated without a pause" {
	n=300000
	[ -z "$long" ] || n=20000000
	printf '%s\n' "$PWD/log {" 'size 1' 'rotate 1000' nocompress create postrotate "kill -USR1 \$(cat $PWD/pid)" endscript '}' >conf
	: >log
	start $n -F log --every 10ms
	feed log log $n &
	other=$!
	echo $other >pid
	turns=0 had=0
	while kill -0 $other 2>/dev/null; do
		# The next turn comes when records of the last one have come out.
		size=$(stat -c %s out)
		[ "$size" -gt $had ] || continue
		had=$size
		logrotate -f -s "$PWD/state" conf || ! kill -0 $other
		turns=$((turns + 1))
	done
	other=
	[ -z "$long" ] || echo "# figure: $turns rotations" >&3
	whole $n
}
