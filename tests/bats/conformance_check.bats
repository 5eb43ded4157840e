#!/usr/bin/env bats
# The judge of the conformance cases: it must be able to say no.
bats_require_minimum_version 1.5.0

setup() {
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR" || return 1
	run='$ strm -i json -o json --every mark'
}

# judge VERDICT LINE...: the case of these lines passes (ok) or not (not ok).
judge() {
	local want=$1
	shift
	printf '%s\n' "$@" >one.cases
	run --separate-stderr "$SRCDIR/tests/conformance/check" one.cases
	[ "$status" = 0 ]
	[[ "${lines[-2]}" = "$want 1 - "* ]]
	[ "${lines[-1]}" = 1..1 ]
}

@test "a record that is missing, too many, different or in another micro-batch fails a case" {
	one=('== it' "$run 'set batch = @batch'" '< {"a":1}' -- '< {"a":2}' --)
	judge ok "${one[@]:0:4}" '> {"a":1.0}' "${one[@]:4}" '> {"b":null,"a":2}'
	judge 'not ok' "${one[@]}" '> {"a":2}'
	judge 'not ok' "${one[@]}"
	judge 'not ok' "${one[@]:0:4}" '> {"a":1}' "${one[@]:4}" '> {"a":3}'
	judge 'not ok' "${one[@]:0:4}" '> {"a":1}' "${one[@]:4}" '> {"a":"2"}'
	judge 'not ok' "${one[@]:0:4}" '> {"a":1}' '> {"a":1}' "${one[@]:4}" '> {"a":2}'
	judge 'not ok' "${one[@]:0:4}" '> {"a":2}' "${one[@]:4}" '> {"a":1}'
	judge ok '== it any-batch' "${one[@]:1}" '> {"a":2}' '> {"a":1}'
	judge ok "${one[@]}" '>> {"a":2}' '>> {"a":1}'
}

@test "order and more fields count unless the case says otherwise" {
	two=("$run" '< {"a":1,"b":1}' '< {"a":2,"b":2}' --)
	judge ok '== it any-batch' "${two[@]}" '> {"a":2,"b":2}' '> {"b":1,"a":1}'
	judge 'not ok' '== it any-batch in-order' "${two[@]}" '> {"a":2,"b":2}' '> {"b":1,"a":1}'
	judge ok '== it any-batch in-order' "${two[@]}" '> {"a":1,"b":1}' '> {"b":2,"a":2}'
	judge 'not ok' '== it any-batch' "${two[@]}" '> {"a":2}' '> {"b":1,"a":1}'
	judge ok '== it any-batch subset' "${two[@]}" '> {"a":2}' '> {"b":1}'
	judge 'not ok' '== it any-batch subset' "${two[@]}" '> {"a":2}' '> {"b":2}'
	judge 'not ok' '== it any-batch' "${two[@]}" '> {"a":2,"b":2}'
	judge ok '== it any-batch and-more' "${two[@]}" '> {"a":2,"b":2}'
}

@test "the end of input has its own place" {
	three=("$run count 'set batch = @batch'" '< {"a":1}' -- '> {"count":1}' '< {"a":2}')
	judge ok '== it' "${three[@]}" ^D '> {"count":1}'
	judge 'not ok' '== it' "${three[@]}"
	judge ok '== it open-end' "${three[@]}"
}

@test "status, files and several runs" {
	judge 'not ok' '== it' "$run nothing"
	judge ok '== it' "$run nothing" '= 3'
	judge ok '== it status-only' "$run 'set a = 1'" '< {}'
	judge 'not ok' '== it status-only' "$run 'set a = 1'" '< {}' '= 2 3'
	judge ok '== it any-batch' '@ f.json {"a":1}' '@ f.json {"a":2}' '$ strm -o json --to "$DIR/g.json" count -- "$DIR/f.json"' \
		"$ strm -o json 'set a = 1" "$(printf '\t')set count = count + a' -- \"\$DIR/g.json\"" '> {"a":1,"count":3}'
}
