#!/usr/bin/env bats
# Killed at calls that change files, and started again: tests/crash/run.
bats_require_minimum_version 1.5.0

@test "a job that is killed and started again writes what an undisturbed one does" {
	run --separate-stderr env STRM_BUILD="$BUILDDIR" "$SRCDIR/tests/crash/run" 32 short
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "the files of a directory that was just made are there after a power failure" {
	run --separate-stderr env STRM_BUILD="$BUILDDIR" CRASH_WAYS='power part' "$SRCDIR/tests/crash/run" 6 parts
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "outputs that are written while the next micro-batch is read are whole" {
	run --separate-stderr env STRM_TEST_OVERLAP=1 STRM_BUILD="$BUILDDIR" "$SRCDIR/tests/crash/run" 14 lines words outs slides state marks rows
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "a signal in the middle of what is piped in" {
	run --separate-stderr env STRM_BUILD="$BUILDDIR" CRASH_WAYS=term "$SRCDIR/tests/crash/run" 8 pipe
	echo "$output"
	[ "$status" -eq 0 ]
}
