# Sliding windows of event time against a plain oracle: mawk keeps every record and looks at each for each window that has it, late ones judged as the watermark
# stood when their micro-batch began.

setup() {
	bats_require_minimum_version 1.5.0
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR" || return 1
}

# records SEED SPREAD: "TIME,KEY,VALUE" of whole seconds around 1970, up to SPREAD seconds out of order, with gaps.
records() {
	mawk -v seed="$1" -v spread="$2" 'BEGIN { srand(seed); t = -100
		for (i = 0; i < 400; i++) {
			t += int(rand() * 3); if (rand() < 0.02) t += 40
			print t - int(rand() * (spread + 1)) ",k" int(rand() * rand() * 8) "," int(rand() * 40) - 15 } }'
}

# oracle LENGTH SLIDE OFFSET DELAY ROWS: "END,KEY,COUNT,SUM,MIN,MAX,DISTINCT,FIRST,ALL" in order of the window's end, then the key's first appearance since it had
# no open window; micro-batches of ROWS records.
oracle() {
	mawk -F, -v len="$1" -v slide="$2" -v offset="$3" -v delay="$4" -v rows="$5" '
	function floor(x) { return int(x) > x ? int(x) - 1 : int(x) }
	function close_until(mark,   e, i, j, k, n, order) {
		for (e = next_end; e <= mark && e <= top + len + slide; e += slide) {
			n = 0
			for (k in until) if ((e, k) in cnt) order[++n] = k
			for (i = 2; i <= n; i++) for (j = i; j > 1 && born[order[j]] < born[order[j - 1]]; j--) { k = order[j]; order[j] = order[j - 1]; order[j - 1] = k }
			for (i = 1; i <= n; i++) { k = order[i]; print e "," k "," cnt[e, k] "," sum[e, k] "," min[e, k] "," max[e, k] "," kinds[e, k] "," first[e, k] ",\"" all[e, k] "\"" }
		}
		if (e > next_end) next_end = e
		for (k in until) if (until[k] <= mark) delete until[k]
	}
	BEGIN { none = -1e9; mark = none; top = none; next_end = none }
	{
		if (next_end == none) next_end = floor(($1 - offset) / slide - 200) * slide + offset + len
		last = floor(($1 - offset) / slide) * slide + offset + len
		if (last <= mark) late++
		else {
			if (!($2 in until)) { born[$2] = ++births; until[$2] = last }
			if (last > until[$2]) until[$2] = last
			for (e = last; e - len <= $1 && e > $1; e -= slide) if (e > mark) {
				j = e SUBSEP $2
				if (!(j in cnt)) { min[j] = max[j] = first[j] = $3; sep = "" } else sep = " "
				cnt[j]++; sum[j] += $3; if ($3 < min[j]) min[j] = $3; if ($3 > max[j]) max[j] = $3
				if (!((j, $3) in seen)) { seen[j, $3]; kinds[j]++ }
				all[j] = all[j] sep $3
			}
		}
		if ($1 > top) top = $1
		if (NR % rows == 0 && top - delay > mark) { mark = top - delay; close_until(mark) }
	}
	END { close_until(1e9); print "late " late + 0 >"want.late" }'
}

# sliding LENGTH SLIDE OFFSET DELAY CUT AGGREGATES FIELDS
sliding() {
	(echo t,k,v && cat in) | strm -i csv -o csv --every "$5" "watermark time(int(t)) delay ${4}s" "window ${1}s every ${2}s offset ${3}s" "reduce $6 by k" \
		"map e = epoch(window_end), k, $7" 2>err | sed 1d
	printf 'late %d\n' "$(sed -n 's/.*stage 3 late \([0-9]*\).*/\1/p' err)" >got.late
}

# agrees SEED SPREAD DELAY LENGTH SLIDE OFFSET
agrees() {
	local cut
	records "$1" "$2" >in
	for cut in 1r 7r eof; do
		oracle "$4" "$5" "$6" "$3" "${cut/eof/100000r}" <in >want
		sliding "$4" "$5" "$6" "$3" "$cut" 'c = count(), s = sum(v)' 'c, s' >got
		cut -d, -f1-4 want | cmp - got
		cmp want.late got.late
		sliding "$4" "$5" "$6" "$3" "$cut" 'c = count(), s = sum(v), lo = min(v), hi = max(v), d = distinct(v)' 'c, s, lo, hi, d' >got
		cut -d, -f1-7 want | cmp - got
		cmp want.late got.late
		sliding "$4" "$5" "$6" "$3" "$cut" 'c = count(), s = sum(v), f = first(v), all = join(collect(v), " ")' 'c, s, f, all' >got
		mawk -F, '{ gsub(/"/, "", $9); print $1 "," $2 "," $3 "," $4 "," $8 "," $9 }' want | cmp - got
		cmp want.late got.late
	done
}

@test "in order" { agrees 1 0 0 10 1 0; agrees 2 0 0 7 3 2; agrees 3 0 5 60 7 0; }

@test "out of order within the delay" { agrees 4 10 10 10 1 0; agrees 5 10 10 7 3 1; agrees 6 30 30 25 10 3; }

@test "out of order beyond the delay: slices that windows have taken in still get records, until their last window closes" {
	agrees 7 10 0 10 1 0
	agrees 8 20 4 12 5 2
	agrees 9 90 3 60 7 0
	oracle 60 7 0 3 1 <in >want
	grep -q '[1-9]' want.late # there were some
}

@test "keys that come and go keep the order in which they appeared" {
	mawk 'BEGIN { for (t = 0; t < 6000; t++) { print t ",u" t "," t; if (t % 5 == 0) print t ",a," t; if (t % 50 < 2) print t ",b," t } }' >in
	oracle 6 4 0 0 50 <in | cut -d, -f1-4 >want
	sliding 6 4 0 0 50r 'c = count(), s = sum(v)' 'c, s' | cmp - want
	sliding 6 4 0 0 50r 'c = count(), s = sum(v), m = max(v)' 'c, s' | cmp - want
}

@test "windows of an hour by the second take no longer than records and results do" {
	mawk 'BEGIN { for (i = 0; i < 100000; i++) print int(i / 25) ",k" i % 10 "," i % 7 }' >in
	sliding 3600 1 0 5 eof 'c = count(), s = sum(v), m = max(v)' 'c, s, m' >got
	[ "$(wc -l <got)" -eq 75990 ]
	mawk -F, '{ n += $3 } END { exit n != 3600 * 100000 }' got
}
