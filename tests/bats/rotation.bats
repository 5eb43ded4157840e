#!/usr/bin/env bats
# A log that is written without a pause, followed by strm while logrotate rotates it.
bats_require_minimum_version 1.5.0

# Lines "line 1.", "line 2." ... into log until there is a file `enough`; the log is opened anew on SIGUSR1. `written`: the number of the last line but a few.
# A shell of its own: bats traces its functions.
write_log='
	exec 3>>log
	trap "exec 3>>log" USR1
	for ((i = 1; ; i++)); do
		echo "line $i." >&3
		((i % 100)) || { echo "$i" >written; [ ! -e enough ] || exit 0; }
	done'

# conf LINE...: a logrotate configuration for log, with these lines besides.
conf() {
	printf '%s\n' "$PWD/log {" 'size 1' 'rotate 100' nocompress missingok "$@" '}' >conf
}

# last: the number of the last line.
last() { tail -n 1 | cut -d ' ' -f 2 | tr -d .; }

# rotate: once, when all that was written before the last rotation has been read.
rotate() {
	local mark=
	# both files are written to meanwhile: what stands behind their first, or last, line is another one's
	until [ -n "$mark" ]; do read -r mark <written || mark=; done
	until [ "$(last <out)" -gt "$mark" ] 2>/dev/null; do kill -0 "$strm"; done
	logrotate -f -s "$PWD/state" conf
}

# follow LINE...: a writer and strm at work, rotated as these lines of the configuration say, six times; then the writer's end, and strm's when it has all.
follow() {
	echo 0 >written
	strm -F log >out 2>err &
	strm=$!
	bash -c "$write_log" &
	echo $! >pid
	conf "$@"
	for _ in 1 2 3 4 5 6; do rotate; done
	: >enough
	wait "$(cat pid)"
	# what was written between the copy and the cut is nowhere, and it may have been the end
	kept=$(cat log.1 log | last)
	until [ "$(last <out)" -ge "$kept" ] 2>/dev/null; do kill -0 "$strm"; done
	kill -INT "$strm"
	wait "$strm" || true
}

setup() {
	umask 022 # logrotate trusts no others
	chmod 755 "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	PATH=$PATH:/usr/sbin
	: >log
}

teardown() { kill "$strm" "$(cat pid)" 2>/dev/null || true; }

@test "renamed and created anew: nothing is lost, nothing comes twice" {
	follow create postrotate "kill -USR1 \$(cat $PWD/pid)" endscript
	seq -f 'line %.0f.' "$(cat written)" >want
	cmp out want
}

@test "copied and cut: what the copies hold is there, and nothing twice" {
	follow copytruncate
	# a line that was being written when it was copied, or cut off, is there in part
	cat log log.* | grep '[.]$' | sort >kept
	grep '[.]$' out | sort >got
	[ -z "$(uniq -d got)" ]
	[ -z "$(comm -23 kept got)" ]
	[ -e log.6 ]
}
