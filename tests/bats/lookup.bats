# A table in a file that changes while a stream looks things up in it.

setup() {
	bats_require_minimum_version 1.5.0
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR"
	mkfifo in out
	job=
}

teardown() { [ -z "$job" ] || kill -KILL "$job" 2>/dev/null || true; }

# start STAGE...: strm between the pipes in and out, open as fds 7 and 8; a micro-batch for each mark.
start() {
	strm -i csv -o json --every mark --from in "$@" >out 2>err 3>&- &
	job=$!
	exec 8<out 7>in
	echo k >&7
}

# ask KEY: a micro-batch with that key, and what comes out of it.
ask() {
	printf '%s\n\f\n' "$1" >&7
	read -r answer <&8
	echo "$answer"
}

ended() {
	exec 7>&-
	wait "$job"
	job=
}

# put FORMAT VALUE: the table anew, by another file that takes its name.
put() {
	printf 'k,v\na,%s\nb,0\n' "$2" | strm -i csv -o "$1" --to new.tmp 'map *'
	mv new.tmp "table.$1"
}

@test "a table that has changed is read again before the next micro-batch, in every format" {
	for format in csv tsv json logfmt; do
		put $format 1
		start "lookup table.$format on k left"
		[ "$(ask a)" = '{"k":"a","v":1}' ]
		put $format 22
		[ "$(ask a)" = '{"k":"a","v":22}' ]
		[ "$(ask c)" = '{"k":"c","v":null}' ]
		ended
	done
}

@test "a table of lines or of columns, and one in place" {
	printf 'a\nb\n' >words
	start 'lookup words?format=lines as w on k = line left'
	[ "$(ask a)" = '{"k":"a","line":"a"}' ]
	[ "$(ask c)" = '{"k":"c","line":null}' ]
	printf 'b\nc\nd\n' >words
	[ "$(ask c)" = '{"k":"c","line":"c"}' ]
	ended
	printf 'a   7\nb   8\n' >cols
	start 'lookup cols?format=columns&header=k,v on k'
	[ "$(ask b)" = '{"k":"b","v":8}' ]
	ended
}

@test "a small table as a list follows its file too" {
	put csv 1
	start 'lookup table.csv | map k, v = table.v'
	[ "$(ask x)" = '{"k":"x","v":[1,0]}' ]
	put csv 5
	[ "$(ask x)" = '{"k":"x","v":[5,0]}' ]
	ended
}

@test "a table whose file is away for the moment stays" {
	put csv 1
	start 'lookup table.csv on k'
	[ "$(ask a)" = '{"k":"a","v":1}' ]
	mv table.csv away.csv
	[ "$(ask a)" = '{"k":"a","v":1}' ]
	put csv 2
	[ "$(ask a)" = '{"k":"a","v":2}' ]
	ended
}

@test "a table that cannot be read any more ends the run" {
	put csv 1
	start 'lookup table.csv on k'
	[ "$(ask a)" = '{"k":"a","v":1}' ]
	printf '\037\213\010 no gzip' >table.csv
	printf 'a\n\f\n' >&7
	exec 7>&-
	status=0
	wait "$job" || status=$?
	job=
	[ "$status" -eq 1 ]
	grep -q '^strm: .*table.csv: damaged or cut off gzip data$' err
}
