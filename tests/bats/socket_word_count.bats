#!/usr/bin/env bats
# README's first stream: a server that sends lines, as `nc -lk 9999` does, and strm that counts its words each second.
bats_require_minimum_version 1.5.0

setup() {
	PATH="$BUILDDIR:$BUILDDIR/tests/soak:$PATH"
	cd "$BATS_TEST_TMPDIR" || return 1
	strm= server=
	mkfifo typed held
	feed hold <held >held_port &
	exec 6>held
	until [ -s held_port ]; do kill -0 $!; done
	serve "$(cat held_port)"
}

teardown() { kill $strm $server 2>/dev/null || true; }

# serve PORT: a server that sends what is written to descriptor 7; `port` is its.
serve() {
	feed serve "$1" <typed >port 6>&- &
	server=$!
	exec 7>typed
	until [ -s port ]; do kill -0 $server; done
	port=$(cat port)
}

count_words() {
	strm --from "tcp://localhost:$port" --every 1s "$@" >out 2>err 6>&- 7>&- &
	strm=$!
}

# comes COMMAND...: waits until it succeeds.
comes() { until "$@"; do kill -0 $strm; done; }

has_lines() { [ "$(wc -l <out)" -ge "$1" ]; }

@test "the words of each second" {
	count_words words 'count by word'
	echo 'to be or not to be' >&7
	comes has_lines 4
	echo 'to be' >&7
	comes has_lines 6
	[ "$(cat out)" = "$(printf 'to\t2\nbe\t2\nor\t1\nnot\t1\nto\t1\nbe\t1')" ]
	kill -INT $strm
	wait $strm || [ $? = 130 ]
	has_lines 6
	! has_lines 7
}

@test "the words of the last three seconds, every second" {
	count_words words 'window 3s every 1s' 'count by word' 'map end = epoch(window_end), word, count'
	echo 'tide in tide' >&7
	comes has_lines 6
	echo out >&7
	comes has_lines 9
	grep tide out | awk 'NR > 1 && $1 != last + 1 || $3 != 2 { exit bad = 1 } { last = $1 } END { exit bad || NR != 3 }'
	grep in out | awk '$3 != 1 { exit bad = 1 } END { exit bad || NR != 3 }'
	tail -n 3 out | awk '$2 != "out" || $3 != 1 || NR > 1 && $1 != last + 1 { exit 1 } { last = $1 }'
}

@test "a server that comes back is connected to again" {
	count_words words 'count by word'
	echo 'one two' >&7
	comes has_lines 2
	exec 7>&-
	wait $server
	mv port old && serve "$port"
	echo three >&7
	comes has_lines 3
	[ "$(cut -f 1 out | tr '\n' ' ')" = 'one two three ' ]
}
