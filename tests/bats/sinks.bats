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

# ends PID SIGNAL STATUS: at its first signal.
ends() {
	local status=0
	kill -s "$2" "$1"
	wait "$1" || status=$?
	[ "$status" -eq "$3" ]
}

@test "a named pipe that nobody reads leaves ears for signals" {
	mkfifo in pipe
	for signal in INT TERM; do
		strm --from in count --to file:pipe 2>err 3>&- &
		job=$!
		exec 7>in
		echo line >&7
		exec 7>&-
		ends $job $signal 1
		[ "$(head -n 1 err)" = 'strm: pipe: nobody reads it: 2 bytes were not delivered' ]
	done
}

@test "a named pipe whose reader takes nothing any more is left at the first signal" {
	mkfifo pipe
	seq 100000 >in
	strm --checkpoint d 'filter true' --to file:pipe -- in 2>err 3>&- &
	job=$!
	exec 8<pipe
	read -r _ <&8
	ends $job TERM 1
	grep -q '^strm: pipe: nobody reads it: [0-9]* bytes were not delivered$' err
	exec 8<&-
	strm --checkpoint d 'filter true' --to file:pipe -- in 3>&- &
	job=$!
	cmp in pipe
	wait $job
}

@test "who comes late to a named pipe sees the end, records or none" {
	mkfifo pipe
	strm 'filter false' --to file:pipe <<<line 3>&- &
	job=$!
	[ -z "$(cat pipe)" ]
	wait $job
	seq 50000 >in
	strm 'filter true' --to file:pipe -- in 3>&- &
	job=$!
	cmp in pipe
	wait $job
}
