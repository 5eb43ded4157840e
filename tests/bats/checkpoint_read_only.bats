#!/usr/bin/env bats
# A checkpoint that strm may read and not write.
bats_require_minimum_version 1.5.0

setup() {
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR" || return 1
	rights=()
	[ "$(id -u)" != 0 ] || rights=(setpriv --bounding-set=-dac_override,-dac_read_search)
	mkdir closed
	chmod a-w closed
	"${rights[@]}" true 2>/dev/null || skip 'root may write everywhere here'
	! "${rights[@]}" touch closed/x 2>/dev/null || skip 'root may write everywhere here'
	count 3
}

teardown() { chmod -R u+w . 2>/dev/null || true; }

# count N: the words of lines up to N that are not counted yet.
count() { seq "$1" >in && "${rights[@]}" strm -q --once --checkpoint "${2:-d}" 'window all' 'count' --to file:out -- in; }

# refused MESSAGE [DIR]: it is said, with advice, and nothing changes.
refused() {
	local before
	before=$(cat out d/log* d/format | cksum)
	run --separate-stderr count 9 "${2:-d}"
	echo "$output$stderr"
	[ "$status" -eq 1 ]
	[ "$stderr" = "strm: $1
hint: --checkpoint wants a directory that strm may write to; strm checkpoint ls reads one that it may not" ]
	[ "$before" = "$(cat out d/log* d/format | cksum)" ]
}

@test "a directory that may not be written is refused, and its last commit stays" {
	chmod a-w d
	refused 'd: cannot write to the checkpoint: Permission denied'
	[ "$(strm checkpoint ls d -o json | jq -r 'select(.kind == "commit") | .batch')" = 0 ]
	chmod u+w d
	count 5
	[ "$(cat out)" = $'3\n5' ]
}

@test "a log that may not be written is refused" {
	chmod a-w d/log.*
	refused 'd/log.00000001: cannot write: Permission denied'
}

@test "a lock that may not be written is refused" {
	chmod a-w d/lock
	refused 'd: cannot lock the checkpoint: Permission denied'
}

@test "a checkpoint that cannot be made is refused" {
	refused 'closed/d: cannot make the checkpoint: Permission denied' closed/d
	refused 'closed: cannot write to the checkpoint: Permission denied' closed
}

@test "a checkpoint that may not be written is read" {
	chmod a-w d d/*
	run --separate-stderr "${rights[@]}" strm checkpoint ls d -o json
	[ "$status" -eq 0 ]
	[ "$(jq -r 'select(.kind == "commit") | .batch' <<<"$output")" = 0 ]
}
