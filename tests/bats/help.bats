# What the program says of itself: --help, strm help, manual pages, completions.

bats_require_minimum_version 1.8.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

@test "--help fits a screen" {
	run --separate-stderr strm --help
	[ "$status" = 0 ]
	[ "${#lines[@]}" -le 48 ]
	[ "$(printf '%s\n' "${lines[@]}" | awk 'length > 80' | wc -l)" = 0 ]
}

@test "no arguments: the usage on stderr, status 2" {
	run --separate-stderr strm
	[ "$status" = 2 ]
	[ -z "$output" ]
	[[ "$stderr" == Usage:* ]]
}

@test "help shows every entry of a name" {
	run --separate-stderr strm help csv
	[ "$status" = 0 ]
	[[ "$output" == *'(format)'* ]]
	[[ "$output" == *'(pattern)'* ]]
}

@test "help finds options by either name, percentiles by any number" {
	run --separate-stderr strm help -o --bad p97
	[ "$status" = 0 ]
	[[ "$output" == *'-o, --output FMT'* ]]
	[[ "$output" == *'--bad FILE'* ]]
	[[ "$output" == *'(aggregate)'* ]]
}

@test "help finds names of two words" {
	run --separate-stderr strm help checkpoint ls top
	[ "$status" = 0 ]
	[[ "$output" == 'strm checkpoint ls DIR '*'(command)'*'top N by E'* ]]
}

@test "help of an unknown name proposes the nearest one" {
	run --separate-stderr strm help tpo
	[ "$status" = 2 ]
	[ -z "$output" ]
	[ "$stderr" = 'strm: help: nothing is called "tpo"
hint: did you mean top?' ]
}

@test "help of an unknown option proposes an option" {
	run --separate-stderr strm help --sctrict
	[ "$status" = 2 ]
	[ "$stderr" = 'strm: help: nothing is called "--sctrict"
hint: did you mean --strict?' ]
}

@test "help of another tool's word shows ours" {
	run --separate-stderr strm help grep
	[ "$status" = 2 ]
	[ "$stderr" = 'strm: help: nothing is called "grep"
hint: keep records with `filter`: filter status >= 500' ]
}

@test "help of a word of Spark or Beam says what it is here, in any case, with one of its names" {
	run --separate-stderr strm help WHERE groupByKey
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[[ "$output" == 'filter, where '*'(Spark Structured Streaming)'*'`filter E`'* ]]
	[[ "$output" == *'groupByKey '*'(Spark Streaming (DStream))'*'GroupByKey '*'(Apache Beam and Cloud Dataflow)'* ]]
	run --separate-stderr strm help Mean
	[ "$status" = 0 ]
	[[ "$output" == 'Mean.globally, Mean.perKey '* ]]
	run --separate-stderr strm help groupByKy
	[ "$status" = 2 ]
	[ "$stderr" = 'strm: help: nothing is called "groupByKy"
hint: did you mean groupByKey?' ]
}

@test "every row of the semantics has an example, or says that strm has no such thing" {
	strm help --man strm-semantics >page
	awk '
	function check() { if (name != "" && !fine) print "nothing behind " name }
	/^\.TP/ { check(); fine = 0; getline; name = $0; n++; next }
	/^\.S[HS]/ { check(); name = "" }
	/^Not here\. ./ || /^\.EX/ { fine = 1 }
	END { check(); print (n > 350 ? "enough" : "only " n) }' page >found
	[ "$(cat found)" = enough ]
	for model in dstream structured millwheel beam; do
		strm help "$model" | sed -n 's/^    \([^ ].*[^ ]\)  .*/\1/p' | sort | uniq -d >twice
		[ ! -s twice ]
		[ "$(strm help semantics | grep -cFx "$(strm help "$model" | head -n 1)")" = 1 ]
	done
}

@test "help of nothing like anything says where to look" {
	run --separate-stderr strm help qqqqqqqq
	[ "$status" = 2 ]
	[ "$stderr" = 'strm: help: nothing is called "qqqqqqqq"
hint: `strm help` says what there is' ]
}

@test "what is not in this build stands among the options only" {
	later=$(strm help options | sed -n '/^Not in this build/,$s/.*--\([a-z-]*\).*/\1/p' | head -n 1)
	[ -n "$later" ] || skip 'everything is in this build'
	run --separate-stderr strm help "--$later"
	[ "$status" = 2 ]
	[ "$stderr" = "strm: help: --$later is not in this build" ]
	run --separate-stderr strm --help
	[[ "$output" != *"--$later "* ]]
}

@test "every word that completion offers after help has help" {
	strm help --completion bash >script
	# shellcheck disable=SC2046
	run --separate-stderr strm help $(sed -n "s/.*_strm_reply '\(.*\)' \"\$cur\"\$/\1/p" script | head -n 1)
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[ "$(printf '%s\n' "$output" | wc -l)" -gt 2000 ]
}

@test "manual pages render without warnings" {
	command -v groff || skip 'no groff'
	for page in strm strm-functions strm-language strm-semantics; do
		strm help --man "$page" >page
		run --separate-stderr groff -ww -man -Tutf8 page
		[ "$status" = 0 ]
		[ -z "$stderr" ]
		[ "${#lines[@]}" -gt 200 ]
	done
}

@test "topics fit a terminal of 80 columns, their examples aside" {
	for topic in $(strm help topics | sed -n 's/^    \([a-z][a-z-]*\)  *[^ ].*/\1/p'); do
		strm help "$topic" >"$topic.txt"
		[ -s "$topic.txt" ]
		[ "$(sed '/^        [$] /,/^$/d' "$topic.txt" | awk 'length > 80' | wc -l)" = 0 ] || { awk 'length > 80' "$topic.txt"; return 1; }
	done
	[ "$(find . -name '*.txt' | wc -l)" -ge 12 ]
}

@test "an unknown manual page or shell is refused" {
	run --separate-stderr strm help --man awk
	[ "$status" = 2 ]
	[ "$stderr" = 'strm: help: no such page (strm, strm-functions, strm-language, strm-semantics): "awk"' ]
	run --separate-stderr strm help --completion csh
	[ "$status" = 2 ]
	[ "$stderr" = 'strm: help: no such shell (bash, zsh, fish): "csh"' ]
}

@test "completions are correct scripts" {
	for shell in bash zsh fish; do
		strm help --completion "$shell" >script
		[ -s script ]
		! command -v "$shell" >/dev/null || "$shell" -n script
	done
}

# completes WORD...: what bash offers for the last word, a line each.
completes() {
	strm help --completion bash >script
	bash -c '. ./script; compopt() { echo "$@"; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _strm; printf "%s\n" "${COMPREPLY[@]}"' \
		_ "$@"
}

@test "bash completes stages, connectives, functions, formats, options and topics" {
	[ "$(completes strm wor)" = words ]
	[ "$(completes strm words "'top 5 by n p")" = 'top 5 by n per
top 5 by n per ...' ]
	[ "$(completes strm "'map a = upp" | head -n 1)" = 'map a = upper(' ]
	[ "$(completes strm "'words | dedu" | head -n 1)" = 'words | dedup' ]
	[ "$(completes strm -o ta)" = table ]
	[ "$(completes strm --stri)" = --strict ]
	[ "$(completes strm help formats)" = formats ]
	[ "$(completes strm words -- x)" = '-o default' ] || [ "$(completes strm words -- x)" = '-o default
' ]
}

@test "help that cannot be written fails" {
	[ -c /dev/full ] || skip 'no /dev/full'
	run --separate-stderr sh -c 'strm help functions >/dev/full'
	[ "$status" = 1 ]
}
