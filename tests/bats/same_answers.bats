# Answers depend neither on the size of reads and batches nor on the vector unit.

setup_file() {
	export data=$BATS_FILE_TMPDIR
	unset STRM_TEST_BATCH
	make_samples
}

setup() {
	bats_require_minimum_version 1.5.0
	unset STRM_TEST_BATCH
	cd "$BATS_TEST_TMPDIR"
}

make_samples() {
	awk -v dir="$data" 'BEGIN {
		srand(7)
		split("alpha beta gamma delta \303\251t\303\251 x_y 0 007 1.50 -3 1e3", word, " ")
		lines = dir "/lines"; csv = dir "/csv"; tsv = dir "/tsv"; json = dir "/json"; logfmt = dir "/logfmt"; columns = dir "/columns"
		print "k,v,text,n" > csv
		print "k\tv\ttext\tn" > tsv
		for (i = 0; i < 700; i++) {
			k = word[1 + int(11 * rand())]; v = int(2000 * rand()) / 8; n = i
			t = ""
			for (j = int(9 * rand()); j > 0; j--) t = t word[1 + int(11 * rand())] (rand() < .1 ? "  " : " ")
			print t k > lines
			print k "," v "," (rand() < .2 ? "\"" t "\"\"q\"\"\n, end\"" : t) "," (rand() < .1 ? "" : n) (rand() < .1 ? "\r" : "") > csv
			if (rand() < .03) print "bad," i > csv
			if (rand() < .03) print "7,\"" i > csv
			print k "\t" v "\t" t "\\tz\t" n > tsv
			printf "{\"k\":\"%s\",\"v\":%s,\"o\":{\"a\":[%d,\"%s\\n\"],\"b\":null},\"n\":%d}%s", k, v, i, t, n, rand() < .1 ? " " : "\n" > json
			if (rand() < .03) print "\n{\"k\":" > json
			if (rand() < .05) printf "{\n \"k\": \"%s\",\n \"v\": %s\n}\n", k, v > json
			print "k=" k " v=" v " text=\"" t "\\\"\" n=" n (rand() < .1 ? " flag" : "") > logfmt
			if (rand() < .03) print "=x" > logfmt
			print (rand() < .2 ? "  " : "") k "   " v "\t" n " " t > columns
		}
	}'
}

# Lines of a format and a program.
programs() {
	cat <<-'END'
	lines words | count by word
	lines filter line =~ /a/ | map n = length(line), line
	lines words | top 5 by word
	csv filter true
	csv reduce n = count(), s = sum(v), m = max(n), f = first(text) by k
	csv set w = v * 2, u = upper(text)
	csv sort v desc, n
	csv map k, text | filter k != "beta" | dedup by k
	tsv filter v > 100
	tsv set l = length(text)
	json filter v > 100
	json filter v > 100 | count by k
	json map a = o.a, k, n | sort k
	json set o = o.a[0]
	logfmt filter k == "007"
	logfmt count by flag
	logfmt set z = text
	columns map x = $1, y = $2, z = $9
	columns reduce s = sum($2) by k = $1
	END
}

# answers NAME [VAR=VALUE...]: all programs, their output, messages and status, into the file NAME.
answers() {
	local name=$1 format program status
	shift
	programs | while read -r format program; do
		echo "== $format $program"
		env "$@" strm -i "$format" -o json "$program" --from "$data/$format" 2>&1 && status=0 || status=$?
		env "$@" strm -i "$format" -o csv "$program" --bad bad <"$data/$format" 2>&1 || true
		echo "== $status"
		cat bad
		rm -f bad
	done >"$name"
}

same_answers() {
	answers plain
	[ "$(grep -c '^== 4' plain)" -ge 5 ]
	answers other "$@"
	cmp plain other
}

@test "answers do not depend on the size of reads: 1" { same_answers STRM_TEST_READ=1; }
@test "answers do not depend on the size of reads: 2" { same_answers STRM_TEST_READ=2; }
@test "answers do not depend on the size of reads: 3" { same_answers STRM_TEST_READ=3; }
@test "answers do not depend on the size of reads: 7" { same_answers STRM_TEST_READ=7; }
@test "answers do not depend on the size of batches: 1" { same_answers STRM_TEST_BATCH=1; }
@test "answers do not depend on the size of batches: 3" { same_answers STRM_TEST_BATCH=3; }
@test "answers do not depend on reads and batches together" { same_answers STRM_TEST_READ=7 STRM_TEST_BATCH=3; }
@test "answers do not depend on the vector unit: portable" { same_answers STRM_TEST_SIMD=portable; }
@test "answers do not depend on the vector unit: sse2" { same_answers STRM_TEST_SIMD=sse2; }
@test "answers do not depend on the vector unit: avx2" { same_answers STRM_TEST_SIMD=avx2; }
@test "answers do not depend on the vector unit: avx512" { same_answers STRM_TEST_SIMD=avx512; }
@test "answers do not depend on reads, batches and the portable code together" {
	same_answers STRM_TEST_READ=3 STRM_TEST_BATCH=1 STRM_TEST_SIMD=portable
}
