# What is different on a terminal, by script(1).

setup() {
	bats_require_minimum_version 1.5.0
	command -v script >/dev/null || skip 'script is not installed'
	script -qec true /dev/null </dev/null >/dev/null 2>&1 || skip 'no pseudo-terminals here'
	cd "$BATS_TEST_TMPDIR"
	printf 'name,n\npear,3\nfig,120\n' >in.csv
	printf 'b a b\n' >in.txt
	export TERM=xterm
}

# on_terminal COLUMNS COMMAND
on_terminal() { script -qec "stty cols $1; $2" /dev/null </dev/null | tr -d '\r'; }

@test "results are a table with a bold header" {
	[ "$(on_terminal 80 "strm words 'count by word' -- in.txt")" = "$(printf '\033[1mword  count\033[0m\nb         2\na         1')" ]
}

@test "without colour the header has a line below it" {
	[ "$(on_terminal 80 "strm -M words 'count by word' -- in.txt")" = "$(printf 'word  count\n----  -----\nb         2\na         1')" ]
}

@test "on a pipe they are TSV without a header" {
	[ "$(on_terminal 80 "strm words 'count by word' -- in.txt | cat")" = "$(printf 'b\t2\na\t1')" ]
}

@test "csv stays csv and lines stay lines" {
	[ "$(on_terminal 80 "strm 'filter n > 5' -- in.csv")" = "$(printf 'name,n\nfig,120')" ]
	[ "$(on_terminal 80 "strm 'filter true' -- in.txt")" = 'b a b' ]
}

@test "a table is cut to the width of the terminal" {
	printf 'a,b\n1,%s\n' "$(printf '%0100d' 7)x" >wide.csv
	on_terminal 40 "strm -M -o table 'filter true' -- wide.csv" >out
	[ "$(awk 'length($0) > 46' out)" = '' ]
	grep -q '…' out
	strm -o table 'filter true' -- wide.csv >out
	[ "$(grep -c '…' out)" -eq 0 ]
}

@test "a sink that is no terminal gets TSV" {
	on_terminal 80 "strm words 'count by word' --to out -- in.txt"
	[ "$(cat out)" = "$(printf 'b\t2\na\t1')" ]
}
