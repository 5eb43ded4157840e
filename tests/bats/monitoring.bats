# What a running strm tells: status, silence, progress; how signals and slow readers are met. Nothing here waits for a time: each test waits for a line.

setup() {
	bats_require_minimum_version 1.5.0
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR"
	mkfifo in
	job=
}

teardown() { [ -z "$job" ] || kill -KILL "$job" 2>/dev/null || true; }

# until_line FILE PATTERN: until some line of FILE has it, as long as the job lives.
until_line() { until grep -q -- "$2" "$1" 2>/dev/null; do kill -0 "$job"; done; }

# start ARGUMENTS...: strm in the background, its input open for writing as fd 7.
start() {
	strm "$@" >out 2>err 3>&- &
	job=$!
}

# ended STATUS
ended() {
	local status=0
	wait "$job" || status=$?
	job=
	[ "$status" -eq "$1" ]
}

# caught: the signals that strm catches; until it is strm, bash, which may catch some of its own, none.
caught() { sed -n -e '1{/^Name:.strm$/!q' -e '}' -e 's/^SigCgt:.//p' "/proc/$job/status"; }

# ask: SIGUSR1, once it is caught, and the answer's last line waited for.
ask() {
	until ((0x0$(caught) >> 9 & 1)); do kill -0 "$job"; done
	kill -USR1 "$job"
	until_line err 'sink stdout'
}

@test "SIGUSR1 while a pipe is waited for" {
	start --from in 'filter line != "b"' 'count by line'
	exec 7>in
	printf 'a\nb\n' >&7
	until grep -q 'read 2 records' err 2>/dev/null; do ask; done
	grep -q '^strm: read 2 records, 4 B in .*/s; micro-batch 0$' err
	grep -q '^strm: source in: 2 records, 4 B$' err
	grep -q '^strm: stage 1, filter: in 2, out 1, filtered 1$' err
	grep -q '^strm: stage 2, count: in 1, out 0; holds 1 keys, .*B$' err
	grep -q '^strm: sink stdout: wrote 0$' err
	exec 7>&-
	ended 0
	[ "$(cat out)" = "$(printf 'a\t1')" ]
}

@test "SIGUSR1 says which window waits, and for which input" {
	mkfifo second
	start -i csv --from in --from second --every mark 'watermark t delay 5s' 'window 10s' count
	exec 7>in
	printf 't\n1\n28\n\f\n' >&7
	exec 8>second
	printf 't\n\f\n' >&8
	until grep -q 'read 2 records' err 2>/dev/null; do ask; done
	grep -q '^strm: stage 1, watermark: .*; input "second" has said nothing yet, so there is no watermark$' err
	grep -q '^strm: stage 3, count: .*; the window that ends 1970-01-01T00:00:10Z waits for a watermark: there is none yet$' err
	printf '7\n\f\n' >&8
	printf '\f\n' >&7
	until grep -q 'count: .* waits for the watermark, which stands at 1970-01-01T00:00:02Z$' err; do ask; done
	grep -q '; input "second" holds the watermark back: its latest time is 1970-01-01T00:00:07Z$' err
	exec 7>&- 8>&-
	ended 0
}

@test "SIGUSR1 in the middle of a long input" {
	yes >in 3>&- &
	start --from in 'count'
	until grep -q 'read [0-9]* records' err; do ask; done
	kill -INT "$job"
	ended 130
	[ "$(wc -l <out)" -eq 1 ]
}

@test "SIGUSR1 that comes while a reader keeps it waiting is answered after that" {
	mkfifo slow
	strm --from in 'map line' >slow 2>err 3>&- &
	job=$!
	exec 8<slow 7>in
	seq 17000 >&7 3>&- &
	read -r _ <&8
	kill -USR1 "$job"
	seq 2 17000 | cmp - <(head -c 90892 <&8)
	until_line err 'sink stdout'
	exec 7>&- 8<&-
	ended 0
}

@test "SIGUSR1 while a loop waits" {
	start --from tcp-listen://127.0.0.1:0 'count'
	until_line err listening
	ask
	grep -q '^strm: source tcp-listen://127.0.0.1:0: 0 records, 0 B, listening on .*, 0 clients$' err
	kill -TERM "$job"
	ended 143
}

@test "the first SIGINT is the end of the input: totals, and the last line without its end" {
	start --from in 'count'
	exec 7>in
	printf 'a\nb\nc' >&7
	until grep -q '5 B' err 2>/dev/null; do ask; done
	kill -INT "$job"
	ended 130
	[ "$(cat out)" = 3 ]
	exec 7>&-
}

@test "a named pipe that nobody writes to leaves ears for signals" {
	start --from in 'count'
	ask
	kill -INT "$job"
	ended 130
	[ "$(cat out)" = 0 ]
	rm err
	start --every 1h --from in 'count'
	ask
	kill -INT "$job"
	ended 130
	[ "$(cat out)" = 0 ]
}

@test "a named pipe that nobody writes to yet is waited for, as a table too" {
	mkfifo table
	start -i csv -o csv 'lookup table?format=csv on k' --from in
	printf 'k,v\na,1\n' >table
	printf 'k\na\n' >in
	ended 0
	[ "$(cat out)" = "$(printf 'k,v\na,1')" ]
}

@test "SIGTERM ends a loop with what has come" {
	start --every 1h --from in 'count'
	exec 7>in
	printf 'a\nb\n' >&7
	until grep -q '2 records' err 2>/dev/null; do ask; done
	kill -TERM "$job"
	ended 143
	[ "$(cat out)" = 2 ]
	exec 7>&-
}

@test "SIGINT ends marked live input with the micro-batches whose marks have come" {
	start --every mark --from in --from tcp-listen://127.0.0.1:0 'map line, b = @batch'
	exec 7>in
	printf 'a\n\f\nb\n\f\nc\n' >data
	cat data >&7 # in one piece: behind a mark it is not read on
	until grep -q 'source in: 0 records, 10 B' err 2>/dev/null; do ask; done
	kill -INT "$job"
	ended 130
	[ "$(cat out)" = "$(printf 'a\t0\nb\t1\nc\t2')" ]
	exec 7>&-
}

@test "a second signal ends at once, also while the reader keeps it waiting" {
	mkfifo slow
	yes >in 3>&- &
	strm --from in 'map line' >slow 2>err 3>&- &
	job=$!
	exec 8<slow
	read -r _ <&8
	kill -INT "$job"
	while kill -INT "$job" 2>/dev/null; do :; done
	ended 130
	exec 8<&-
}

@test "and in a loop" {
	mkfifo slow
	strm --every 1h --from exec:yes 'map line' >slow 2>err 3>&- &
	job=$!
	exec 8<slow
	read -r _ <&8
	kill -INT "$job"
	while kill -INT "$job" 2>/dev/null; do :; done
	ended 130
	exec 8<&-
}

# stalled ARGUMENTS...: strm reads 100 MB from `in`, its reader takes one line and stalls until the writer is kept waiting and has given no more than a
# bit of it; then it takes the rest. Nothing is lost, and strm never held what was not taken.
stalled() {
	[ -x /usr/bin/time ] || skip 'GNU time is not installed'
	! grep -q __asan_init "$BUILDDIR/strm" || skip 'memory is not measured under sanitizers'
	mkfifo slow
	seq -f '%.0f ________________________________________________________________________________________' 1000000 >in 3>&- &
	writer=$!
	/usr/bin/time -f %M -o kb strm "$@" >slow 2>err 3>&- &
	job=$!
	exec 8<slow
	read -r first <&8
	[ "${first%% *}" = 1 ]
	# it sleeps in its write, and goes on sleeping at the same byte
	before=-1 same=0
	until [ "$same" -ge 200 ]; do
		now=$(sed -n 's/^wchar: //p' "/proc/$writer/io")
		if [ "$now" = "$before" ]; then same=$((same + 1)); else same=0 before=$now; fi
	done
	[ "$before" -lt 5000000 ]
	awk '{ if ($1 != NR + 1) exit 1; n = $1 } END { if (n != 1000000) exit 1 }' <&8
	exec 8<&-
	ended 0
	[ "$(tail -n 1 kb)" -lt $((16 << 10)) ]
}

@test "a reader that stalls stops a pipe at its source, in bounded memory" { stalled --from in 'map line'; }
@test "a reader that stalls stops a loop at its source, in bounded memory" { stalled --every 1h --from in 'map line'; }

# ---- on a terminal ----

# terminal COMMAND: on a pseudo-terminal, which goes to the file tty.
terminal() {
	command -v script >/dev/null || skip 'script is not installed'
	script -qec true /dev/null </dev/null >/dev/null 2>&1 || skip 'no pseudo-terminals here'
	TERM=xterm script -qefc "$1" tty </dev/null >/dev/null 2>&1 3>&- &
	job=$!
}

@test "silence on a terminal is explained" {
	STRM_TEST_SILENCE=1 terminal 'strm --from in count'
	exec 7>in
	until_line tty 'strm: waiting for input from in; results come at its end'
	exec 7>&-
	ended 0
}

@test "silence is explained once, and on a terminal only" {
	export STRM_TEST_SILENCE=1
	terminal 'strm --from in count'
	exec 7>in
	until_line tty 'waiting for input'
	echo a >&7
	exec 7>&-
	ended 0
	[ "$(grep -c waiting tty)" -eq 1 ]
	start --from in count
	exec 7>in
	ask
	exec 7>&-
	ended 0
	[ "$(grep -c waiting err)" -eq 0 ]
}

@test "silence of a loop is explained, with what its source does" {
	STRM_TEST_SILENCE=1 terminal 'strm --from tcp-listen://127.0.0.1:0 count'
	until_line tty 'waiting for input from tcp-listen://127.0.0.1:0 (listening on .*, 0 clients)'
}

@test "progress is one line, drawn anew and taken away" {
	terminal 'strm --progress --from in count >out'
	yes | head -n 1000 >data
	exec 7>in
	cat data >&7
	until_line tty '[0-9]* records, .*B'
	until_line tty '1000 records, .*/s, 2.00 kB'
	exec 7>&-
	ended 0
	[ "$(cat out)" = 1000 ]
	grep -q "$(printf '\r\033\[Kstrm: read 1000; wrote 1')" tty
}

@test "progress knows percent and the time left where the size is known" {
	seq 3000000 >big
	terminal 'for i in 1 2 3 4 5 6 7 8 9; do strm --progress "reduce n = sum(log(line) ** 2)" -- big big big >>out; done'
	until_line tty 'records, .*MB, [0-9]*%, 0:0[0-9] left'
}

@test "progress is not drawn where standard error is no terminal" {
	start --progress --from in count
	exec 7>in
	echo a >&7
	ask
	exec 7>&-
	ended 0
	[ "$(grep -c '1 record, ' err)" -le 2 ]
	[ "$(tr -dc '\033' <err)" = '' ]
	[ "$(tail -n 1 err)" = 'strm: read 1; wrote 1' ]
}

# ---- statistics ----

@test "a micro-batch that takes longer than its interval is late, and one at most waits" {
	start --every 10ms --from 'exec:for i in 1 2 3 4 5 6 7 8 9; do seq 100000; done' --stats stats 'reduce n = sum(log(line) ** 2) by k = line % 1000' 'count'
	ended 0
	[ "$(strm -i json 'reduce n = sum(records)' -- stats)" = '{"n":900000}' ]
	[ "$(strm -i json 'filter queued > 1' -- stats)" = '' ]
	[ "$(strm -i json 'filter delay_ms < 0' -- stats)" = '' ]
}
