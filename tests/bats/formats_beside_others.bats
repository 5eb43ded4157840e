# Formats beside jq, Miller, wc and the packers, on records made here.

setup() {
	bats_require_minimum_version 1.5.0
	cd "$BATS_TEST_TMPDIR"
}

needs() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

# Objects of strings, numbers, lists: everything that both sides write in one way only.
make_json() {
	awk 'BEGIN {
		srand(3)
		n = split("plain|two words|q\\\"uote|back\\\\slash|tab\\t|\303\251\346\227\245|\\u0001|\\u00e9\\ud83d\\ude00|/|\\/|", s, "|")
		for (i = 0; i < 3000; i++) {
			printf "{%s\"a\":\"%s\",%s\"n\":%d ,\"f\":%d.5,\"l\":[%d,\"%s\",{\"x\":null}],\"t\":%s}%s", rand() < .2 ? " " : "",
				s[1 + int(n * rand())], rand() < .2 ? "\n" : "", i, i % 97, i, s[1 + int(n * rand())], rand() < .5 ? "true" : "false",
				rand() < .3 ? " " : "\n"
		}
	}' >in.json
}

@test "json as jq -c writes it" {
	needs jq
	make_json
	jq -c '. + {z: 1}' in.json >want
	strm 'set z = 1' --from in.json >got
	cmp want got
}

@test "json filtered and cut as jq does" {
	needs jq
	make_json
	jq -c 'select(.f > 50) | {n, x: .l[1], a}' in.json >want
	strm 'filter f > 50' 'map n, x = l[1], a' --from in.json >got
	cmp want got
}

make_csv() {
	awk 'BEGIN {
		srand(5); print "id,name,note,v"
		n = split("plain|two words|q\"\"uote|a,b|line\nend|\303\251|\"\"|x", s, "|")
		for (i = 0; i < 3000; i++)
			print i ",\"" s[1 + int(n * rand())] "\",n" i % 7 "," int(1000 * rand())
	}' >in.csv
}

@test "csv to json as Miller does" {
	needs mlr
	make_csv
	mlr --icsv --ojsonl cat in.csv | sed 's/": /":/g; s/, "/,"/g' >want
	strm -o json 'filter true' --from in.csv >got
	cmp want got
}

@test "csv sorted and cut as Miller does" {
	needs mlr
	make_csv
	mlr --icsv --otsv --headerless-csv-output filter '$v > 500' then cut -o -f name,id then sort -nr id in.csv >want
	strm -i csv -o tsv 'filter v > 500' 'map name, id' 'sort id desc' <in.csv | tail -n +2 >got
	cmp want got
}

@test "csv round trip through every format that has names" {
	make_csv
	strm -o json 'filter true' --from in.csv >want
	for f in tsv logfmt csv json; do
		strm -o $f 'filter true' --from in.csv | strm -i $f -o json 'filter true' >got
		cmp want got
	done
}

@test "lines, words and bytes as wc counts them" {
	make_csv
	[ "$(strm -i lines count --from in.csv)" = "$(wc -l <in.csv)" ]
	[ "$(strm -i lines words count --from in.csv)" = "$(wc -w <in.csv)" ]
	[ "$(strm -i lines 'reduce n = sum(bytes(line) + 1)' --from in.csv)" = "$(wc -c <in.csv)" ]
}

@test "groups as sort and uniq count them" {
	make_csv
	strm -i lines words 'count by word' 'sort word' --from in.csv >got
	tr -s ' ' '\n' <in.csv | grep -v '^$' | LC_ALL=C sort | uniq -c | awk '{ print $2 "\t" $1 }' >want
	LC_ALL=C sort got | cmp - <(LC_ALL=C sort want)
}

packed() {
	needs "$1"
	make_json
	strm 'filter n > 10' --from in.json >want
	"$1" -c in.json >"in.json.$2"
	strm 'filter n > 10' --from "in.json.$2" | cmp - want
	strm -i json 'filter n > 10' <"in.json.$2" | cmp - want
	cat "in.json.$2" "in.json.$2" | strm -i json 'filter n > 10' | cmp - <(cat want want)
	STRM_TEST_READ=7 strm 'filter n > 10' --from "in.json.$2" | cmp - want
	head -c 3000 "in.json.$2" >cut
	run --separate-stderr strm -i json count --from cut
	[ "$status" -eq 1 ]
	[[ "$stderr" == *'damaged or cut off'* ]]
}

@test "gzip" { packed gzip gz; }
@test "bzip2" { packed bzip2 bz2; }
@test "xz" { packed xz xz; }
@test "zstd" { packed zstd zst; }
@test "lz4" { packed lz4 lz4; }
