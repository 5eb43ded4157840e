#!/usr/bin/env bats
# A log that logrotate rotates between runs of strm --once: each line is read once, whatever the log held at the run before and however it is rotated.
bats_require_minimum_version 1.5.0

setup() {
	PATH="$BUILDDIR:$PATH:/usr/sbin"
	cd "$BATS_TEST_TMPDIR" || return 1
}

once() { strm --once --checkpoint d --from "$source" "${1:-filter true}" --to file:out; }

# conf LINE...: a logrotate configuration for log, with these lines besides.
conf() { printf '%s\n' "$PWD/log {" 'size 1' 'rotate 20' ifempty "$@" '}' >conf; }

# Names of dates are of seconds here: a step of the time that they tell makes each another one.
rotate() {
	local day=$((++days))
	sed "s/DAY/-2026010$day/" conf >conf.now
	logrotate -f -s "$PWD/state" conf.now
	$begin
}

# lines N: so many more of 1, 2, 3 ..., which out must hold in the end.
lines() {
	seq $((written + 1)) $((written + $1)) >>log
	written=$((written + $1))
}

# rotations BEFORE N [N...]: a run over what BEFORE has put there; then N lines and a rotation, for each N; and a run. And so on, from there.
rotations() {
	rm -rf d log* out state
	: >log
	written=0 days=0
	begin=
	$1
	once
	shift
	for n; do
		lines "$n"
		rotate
	done
	lines 3
	once
	lines 2
	once
	rotate
	once
	lines 4
	rotate
	once
	grep -v '^#' out >numbers || true
	[ "$(cat numbers)" = "$(seq $written)" ] || { echo "$source, $*: $(tr '\n' ' ' <numbers)" && ls -l --full-time log* && return 1; }
}

nothing() { :; }
some() { lines 5; }
# Each log begins alike, so that what strm has read of one may be read in all of them.
header() { begin=header && echo '# of a program' >>log; }
much() { lines 3000; }

# all MODE: everything, with these lines of the configuration.
all() {
	conf "$@"
	for source in 'file:log?follow' log; do
		rotations nothing 3
		rotations nothing 2 4
		rotations nothing 0 5 1
		rotations some 2 4
		rotations header 3 1
		rotations much 2
	done
}

@test "renamed and created anew" { all create; }

@test "copied and cut" { all copytruncate; }

@test "renamed and packed" { all create compress; }

@test "copied, cut and packed" { all copytruncate compress; }

@test "renamed, packed at the next turn" { all create compress delaycompress; }

@test "copied and cut, packed at the next turn" { all copytruncate compress delaycompress; }

@test "named by dates" { all create dateext 'dateformat DAY'; }

@test "named by dates, packed" { all create compress dateext 'dateformat DAY'; }

@test "named by dates, copied, cut and packed" { all copytruncate compress dateext 'dateformat DAY'; }
