# Sinks that fail end the run with status 1 and name the micro-batch that was not delivered. What does not end is ended by the runner.

bats_require_minimum_version 1.5.0

setup() {
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR" || return 1
}

broken() {
	[ "$status" -eq 1 ]
	[[ $stderr == *"$1"* ]]
	[[ $stderr =~ 'hint: micro-batch '[0-9]+' was not delivered' ]]
}

@test "a Unix socket whose other side goes away" {
	strm --from 'unix-listen:s' 'limit 1' >got &
	run --separate-stderr strm --from gen:rate=2000 'filter true' --to 'unix:s?retry=1000'
	wait
	broken 'unix:s: the connection was closed by the other side'
	[ "$(wc -l <got)" -eq 1 ]
}

@test "a command that fails while others of its sinks go on" {
	run --separate-stderr strm --from gen:rate=2000 'filter true' --to out --to 'exec:head -5 >heads; exit 3'
	broken 'exec:head -5 >heads; exit 3: exit status 3'
	[ "$(wc -l <heads)" -eq 5 ]
	[ -s out ]
}

@test "a command that fails although it was not written to" {
	run --separate-stderr strm --from gen:rate=1000 --every 100ms 'count' --to 'exec:read x; exit 4'
	broken 'exec:read x; exit 4: exit status 4'
}

@test "a full disk" {
	[ -w /dev/full ] || skip 'no /dev/full'
	run --separate-stderr strm --from gen:rate=1000 'filter true' --to /dev/full
	broken '/dev/full: No space left on device'
}

@test "a directory that is taken away" {
	mkdir d
	# while it is emptied a file may come into it
	(until [ -n "$(ls d)" ]; do :; done; until rm -r d 2>/dev/null || [ ! -e d ]; do :; done) &
	run --separate-stderr strm --from gen:rate=1000 --every 100ms 'filter true' --to dir:d
	wait
	broken 'd/part-'
}

# the disk fills up on the second file of a micro-batch: the first is not there either
@test "partitions of a micro-batch that failed" {
	run --separate-stderr bash -c "ulimit -f 4; seq 1 5000 | strm 'map a = line, b = line % 2 == 0 || line < 100' --every 2500r --to 'dir:d?partition=b'"
	[ "$status" -eq 1 ]
	[ -z "$(find d -type f)" ]
}
