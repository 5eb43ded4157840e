# strm checkpoint beside a job that runs, and behind one that was killed.

setup() {
	PATH=$BUILDDIR:$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	mkfifo in out
}

# A job that counts lines of the fifo `in`, one at a time; `said` waits until it has answered.
begin() {
	strm --every 1r --checkpoint c 'state n = n + 1 from n = 0 by line' <in >out 3>&- &
	job=$!
	exec 8>in 9<out
}

said() {
	local line
	read -r line <&9
	[ "$line" = "$1" ]
}

committed() {
	local batch=
	while [ "$batch" != "$1" ]; do
		batch=$(strm checkpoint ls -o json c | strm -i json -o lines 'filter kind == "commit"' 'map batch')
	done
}

finish() {
	exec 8>&- 9<&-
	wait "$job" || :
}

@test "a checkpoint is read beside the job that writes it" {
	begin
	echo a >&8
	said "a	1"
	echo a >&8
	said "a	2"
	echo b >&8
	said "b	1"
	committed 2
	run --separate-stderr strm checkpoint get -o json a c
	[ "$status" -eq 0 ]
	[ "$output" = '{"key":{"line":"a"},"state":{"n":2},"bytes":6,"stage":"state n = n + 1 from n = 0 by line"}' ]
	run --separate-stderr strm checkpoint verify c
	[ "$status" -eq 0 ]
	finish
}

@test "reading it changes nothing of it" {
	begin
	echo a >&8
	said "a	1"
	finish
	cp -a c before
	for sub in ls top verify export 'get a' 'diff count'; do
		# shellcheck disable=SC2086
		strm checkpoint $sub c >/dev/null || [ "$sub" = 'diff count' ]
	done
	diff -r before c
	[ "$(stat -c %Y.%y c)" = "$(stat -c %Y.%y before)" ]
}

@test "behind a job that was killed the last commit is shown" {
	begin
	echo a >&8
	said "a	1"
	echo b >&8
	said "b	1"
	committed 1
	kill -9 "$job"
	finish
	run --separate-stderr strm checkpoint export c
	[ "$status" -eq 0 ]
	[ "$output" = $'{"line":"a","n":1}\n{"line":"b","n":1}' ]
}

@test "a checkpoint that cannot be written is read" {
	begin
	echo a >&8
	said "a	1"
	finish
	chmod -R a-w c
	run --separate-stderr strm checkpoint get -o csv a c
	chmod -R u+w c
	[ "$status" -eq 0 ]
	[ "${lines[1]}" = '"{""line"":""a""}","{""n"":1}",,6,state n = n + 1 from n = 0 by line' ]
}
