#!/usr/bin/env bats
# Between two strm, with ?ack: each record arrives once, whichever of them is killed. However slow they are, the sender waits.
bats_require_minimum_version 1.5.0

setup() {
	PATH="$BUILDDIR:$BUILDDIR/tests/soak:$PATH"
	cd "$BATS_TEST_TMPDIR" || return 1
	receiver= sender=
}

teardown() { kill -9 $receiver $sender 2>/dev/null || true; }

receive() {
	strm --checkpoint received --every 10ms --from 'unix-listen:sock?ack' 'state n = n + 1 from n = 0 by k = line % 7' --to file:out 2>>err &
	receiver=$!
}

# send [LINGER]: what is in the file `in`.
send() { strm --checkpoint sent --every 20r 'filter true' --to "unix:sock?ack&linger=${1:-1h}" -- in; }

start_sender() {
	strm --checkpoint sent --every 20r 'filter true' --to 'unix:sock?ack&linger=1h' -- in &
	sender=$!
}

# What the receiver is to write of the numbers 1 to N.
want() { seq "$1" | awk '{ k = $1 % 7; print k "\t" ++n[k] }'; }

has_lines() { [ "$(cat out 2>/dev/null | wc -l)" -ge "$1" ]; }

@test "what one strm sends arrives once at the other, over runs of the sender" {
	receive
	seq 500 >in
	send
	seq 501 700 >>in
	send
	send
	want 700 | cmp - out
}

@test "the receiver is killed again and again" {
	seq 3000 >in
	receive
	start_sender
	for n in 10 200 700 1500 2900; do
		until has_lines $n; do kill -0 $receiver; done
		kill -9 $receiver
		wait $receiver || true
		receive
	done
	wait $sender
	want 3000 | cmp - out
}

@test "a receiver that comes when all is read is found at once, however much was tried before" {
	seq 3000 >in
	start_sender
	until [ "$(cat sent/out.* 2>/dev/null | wc -l)" -eq 3000 ]; do kill -0 $sender; done
	receive
	wait $sender
	want 3000 | cmp - out
}

@test "the sender is killed again and again" {
	seq 3000 >in
	receive
	for n in 10 200 700 1500 2900; do
		start_sender
		until has_lines $n; do kill -0 $receiver; done
		kill -9 $sender 2>/dev/null || true
		wait $sender || true
	done
	send
	want 3000 | cmp - out
}

@test "both are killed, in turn and together" {
	seq 4000 >in
	for n in 100 600 1200 2000 2600 3300 3900; do
		receive
		start_sender
		until has_lines $n; do kill -0 $receiver; done
		if [ $((n % 200)) -eq 0 ]; then kill -9 $receiver $sender 2>/dev/null || true; else kill -9 $sender $receiver 2>/dev/null || true; fi
		wait $receiver || true
		wait $sender || true
	done
	receive
	send
	want 4000 | cmp - out
}

@test "several senders, over TCP" {
	strm --checkpoint received --every 10ms --from 'tcp-listen://127.0.0.1:0?ack' 'filter true' --to file:out 2>err &
	receiver=$!
	until grep -q listening err; do kill -0 $receiver; done
	port=$(sed -n 's/.*listening on 127.0.0.1://p' err)
	for i in 1 2 3; do
		seq -f "$i %.0f" 400 >in$i
		strm --checkpoint s$i --every 30r 'filter true' --to "tcp://127.0.0.1:$port?ack&linger=1h" -- in$i &
		eval "s$i=\$!"
	done
	wait $s1 && wait $s2 && wait $s3
	for i in 1 2 3; do grep "^$i " out | cmp - in$i; done
	[ "$(wc -l <out)" -eq 1200 ]
}

@test "without a receiver what is to be sent stays in the checkpoint, and goes with the next run" {
	seq 50 >in
	run --separate-stderr send 1ms
	[ "$status" -eq 1 ]
	[ "$stderr" = "strm: unix:sock: 141 bytes were not acknowledged: no such file or directory
hint: they are in the checkpoint, and the next run sends them" ]
	receive
	send
	want 50 | cmp - out
}

@test "what was acknowledged at the end of a run is not sent again, and takes no room" {
	receive
	seq 3000 >in
	send
	kill -9 $receiver
	wait $receiver || true
	send 1ms
	[ "$(stat -c %b "$(echo sent/out.*)")" -le 8 ]
	seq 3001 3050 >>in
	receive
	send
	want 3050 | cmp - out
}

@test "an output that is not acknowledged and is taken out of the program is refused, unless the loss is accepted" {
	seq 50 >in
	send 1ms 2>/dev/null || true
	for other in file:other 'unix:sock2?ack&linger=1ms'; do
		run --separate-stderr strm --checkpoint sent --every 20r 'filter true' --to "$other" -- in
		[ "$status" -eq 1 ]
		[ "$stderr" = "strm: unix:sock: 141 bytes were not acknowledged, and it is no output of the program any more
hint: run it with that output until they are, or drop them: --accept-loss" ]
	done
	run --separate-stderr strm --checkpoint sent --every 20r --accept-loss 'filter true' --to file:other -- in
	[ "$status" -eq 0 ]
	[ "$stderr" = "strm: unix:sock: is no output of the program any more: 141 bytes that were not acknowledged are dropped" ]
	[ -z "$(ls sent | grep ^out || true)" ]
	run --separate-stderr strm --checkpoint sent --every 20r 'filter true' --to file:other -- in
	[ "$status" -eq 0 ] && [ -z "$stderr" ] && [ ! -s other ]
}

@test "an output that is taken out of the program when all is acknowledged leaves nothing behind" {
	receive
	seq 50 >in
	send
	run --separate-stderr strm --checkpoint sent --every 20r 'filter true' --to file:other -- in
	[ "$status" -eq 0 ] && [ -z "$stderr" ]
	[ -z "$(ls sent | grep ^out || true)" ]
}

@test "what waits in the checkpoint and is damaged is not sent" {
	seq 50 >in
	send 1ms 2>/dev/null || true
	printf x | dd of="$(echo sent/out.*)" bs=1 seek=70 conv=notrunc 2>/dev/null
	run --separate-stderr send
	[ "$status" -eq 1 ]
	[ "$stderr" = "strm: $(echo sent/out.*): damaged between bytes 51 and 111" ]
}

@test "a receiver whose checkpoint is an older one is told" {
	seq 50 >in
	receive
	send
	kill -9 $receiver
	wait $receiver || true
	cp -r received older
	receive
	# what was acknowledged in a run is known to the next ones, at the latest when they have said hello before a commit
	for n in 200 400 600 800; do
		seq $((n - 149)) $n >>in
		send
	done
	kill -9 $receiver
	wait $receiver || true
	rm -rf received
	mv older received
	receive
	seq 801 900 >>in
	run --separate-stderr send
	[ "$status" -eq 1 ]
	# the hint tells the micro-batch, if it is seen in one
	[ "${stderr%%$'\n'*}" = "strm: unix:sock: bytes are missing here that the sender has no more: the receiver's checkpoint is an older one" ]
}

@test "who does not acknowledge is told from who does" {
	receive
	until [ -S sock ]; do kill -0 $receiver; done
	seq 5 | strm 'filter true' --to unix:sock || true
	until grep -q 'no strm' err; do kill -0 $receiver; done
	[ "$(cat err)" = "strm: unix-listen:sock: client 1: who connects is no strm that is acknowledged: is ?ack missing at its end" ]
}

@test "without a checkpoint neither side acknowledges" {
	run --separate-stderr strm 'filter true' --to 'tcp://localhost:1?ack'
	[ "$status" -eq 2 ]
	[ "$stderr" = "strm: tcp://localhost:1?ack: what is not acknowledged yet is kept in a checkpoint, and there is none
hint: say where: --checkpoint DIR; or leave out ?ack at both ends" ]
	run --separate-stderr strm --from 'tcp-listen://:0?ack' 'filter true'
	[ "$status" -eq 2 ]
	[ "$stderr" = "strm: tcp-listen://:0?ack: tells who sends what a checkpoint keeps, and there is none
hint: say where: --checkpoint DIR; or leave out ?ack at both ends" ]
}
