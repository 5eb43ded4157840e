# Random streams and random windows: final windows do not depend on the cut, on the size of batches, or on the order of arrival within the delay. The oracle is mawk.

setup() {
	bats_require_minimum_version 1.5.0
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR"
}

# stream SEED: 300 records "t,k,v" from before 1970 on in `sorted`, none later than 20 s in `late.csv`.
stream() {
	mawk -v seed="$1" 'function rnd(n) { s = (s * 16807) % 2147483647; return int(s / 64) % n }
		BEGIN { s = seed * 7919 + 1; n = 1 + rnd(6); t = -60 - rnd(90)
			for (i = 0; i < 300; i++) { t += rnd(3) ? rnd(2) : rnd(12); print t ",k" rnd(n) "," rnd(50) } }' >sorted
	mawk -F, -v OFS=, -v seed="$1" 'BEGIN { s = seed + 77 } { s = (s * 16807) % 2147483647; print $1 + int(s / 64) % 21, NR, $0 }' sorted |
		LC_ALL=C sort -t, -k1,1n -k2,2n | cut -d, -f3- | sed '1i t,k,v' >late.csv
}

# same WANT PROGRAM...: from cuts and batches, sorted.
same() {
	local want=$1 cut rows
	shift
	while read -r cut rows; do
		STRM_TEST_BATCH=$rows strm -o csv --every "$cut" "$@" -- late.csv 2>err | sed 1d | LC_ALL=C sort >got
		cmp got "$want" || { echo "--every $cut, batches of $rows: $*"; diff got "$want" | head -5; cat err; return 1; }
	done <<-END
		1r 4096
		13r 3
		64r 1
		eof 7
	END
}

read_time='watermark time(int(t)) delay 20s'
fields='map k, s = epoch(window_start), e = epoch(window_end), n, sum, first'

@test "fixed and sliding windows" {
	for seed in 1 2 3 4 5 6; do
		stream $seed
		length=$((3 + seed * 7 % 23)) slide=$((1 + seed * 5 % 17)) offset=$((seed % (1 + seed * 5 % 17)))
		sed 1d late.csv | mawk -F, -v length_s=$length -v slide=$slide -v offset=$offset '
			function fl(x) { return int(x) > x ? int(x) - 1 : int(x) }
			{ for (w = fl(($1 - offset) / slide) * slide + offset; w + length_s > $1; w -= slide) { j = $2 "," w "," w + length_s
				n[j]++; sum[j] += $3; if (!(j in first)) first[j] = $3 } }
			END { for (j in n) print j "," n[j] "," sum[j] "," first[j] }' | LC_ALL=C sort >want
		[ "$(wc -l <want)" -gt 20 ]
		same want "$read_time" "window ${length}s every ${slide}s offset ${offset}s" 'reduce n = count(), sum = sum(v), first = first(v) by k' "$fields"
		cut -d, -f1-5 want >want_inverse
		same want_inverse "$read_time" "window ${length}s every ${slide}s offset ${offset}s" 'reduce n = count(), sum = sum(v) by k' "${fields%, first}"
	done
}

@test "a tumbling window is one that slides by its length" {
	for seed in 7 8 9; do
		stream $seed
		length=$((2 + seed * 11 % 31))
		strm -o csv --every 9r "$read_time" "window ${length}s" 'reduce n = count(), sum = sum(v), all = concat(v, " ") by k' -- late.csv >want
		strm -o csv --every 9r "$read_time" "window ${length}s every ${length}s" 'reduce n = count(), sum = sum(v), all = concat(v, " ") by k' -- late.csv >got
		cmp got want
		strm -o csv --every 9r "$read_time" "window ${length}s" 'set s = @window_start' 'reduce n = count(), sum = sum(v), all = concat(v, " ") by k' -- late.csv >got
		cmp got want
	done
}

# sessions GAP: "K,START,END,N,SUM,FIRST,LAST" of the sessions of each key, first and last by arrival; with 0 for the key: of all records.
sessions() {
	sed 1d late.csv | mawk -F, -v all="$2" '{ print $1 "," (all ? "-" : $2) "," $3 "," NR }' | LC_ALL=C sort -t, -k2,2 -k1,1n -k4,4n | mawk -F, -v gap="$1" '
		function out() { if (k != "") print k "," a "," z + gap "," n "," sum "," first "," last }
		$2 != k || $1 >= z + gap { out(); k = $2; a = $1; n = sum = 0; low = 1e9; high = 0 }
		{ z = $1; n++; sum += $3; if ($4 < low) { low = $4; first = $3 } if ($4 > high) { high = $4; last = $3 } }
		END { out() }' | LC_ALL=C sort
}

@test "sessions, with what came first and last" {
	for seed in 10 11 12 13; do
		stream $seed
		gap=$((2 + seed * 3 % 11))
		sessions $gap 0 >want
		[ "$(wc -l <want)" -gt 5 ]
		same want "$read_time" "window session ${gap}s" 'reduce n = count(), sum = sum(v), first = first(v), last = last(v) by k' "$fields, last"
		same want "$read_time" 'set g = '$gap "window session g * 1s" 'reduce n = count(), sum = sum(v), first = first(v), last = last(v) by k' "$fields, last"
	done
}

@test "sessions of stages that do not aggregate" {
	for seed in 14 15 16; do
		stream $seed
		gap=$((2 + seed * 3 % 9))
		sessions $gap 0 | cut -d, -f1-3,6 | LC_ALL=C sort >want
		same want "$read_time" "window session ${gap}s" 'dedup by k' 'map k, s = epoch(@window_start), e = epoch(@window_end), v'
		sessions $gap 1 | cut -d, -f2-3,6 | LC_ALL=C sort >want
		same want "$read_time" "window session ${gap}s" 'limit 1' 'map s = epoch(@window_start), e = epoch(@window_end), v'
		sessions $gap 1 | cut -d, -f2-5 | LC_ALL=C sort >want
		same want "$read_time" "window session ${gap}s" 'sort v' 'reduce n = count(), sum = sum(v)' 'map s = epoch(window_start), e = epoch(window_end), n, sum'
	done
}

@test "windows of windows" {
	for seed in 17 18 19; do
		stream $seed
		small=$((2 + seed % 5)) big=$(((2 + seed % 5) * (2 + seed % 3)))
		sed 1d late.csv | mawk -F, -v small=$small -v big=$big '
			function fl(x) { return int(x) > x ? int(x) - 1 : int(x) }
			{ w = fl($1 / small) * small; n[$2 "," w]++; start[$2 "," w] = fl($1 / big) * big; key[$2 "," w] = $2 }
			END { for (j in n) { i = key[j] "," start[j] "," start[j] + big; windows[i]++; if (n[j] > most[i]) most[i] = n[j] }
				for (i in windows) print i "," windows[i] "," most[i] }' | LC_ALL=C sort >want
		same want "$read_time" "window ${small}s" 'count by k' "window ${big}s" 'reduce n = count(), most = max(count) by k' \
			'map k, s = epoch(window_start), e = epoch(window_end), n, most'
	done
}

@test "times that are read at once are those that are read one by one" {
	mawk 'function rnd(n) { s = (s * 16807) % 2147483647; return int(s / 64) % n }
		BEGIN { s = 20; good = "0123456789"; odd = "0123456789-:TZ.+ a"
			for (i = 0; i < 4000; i++) {
				if (i % 50 == 0) kind = rnd(5)
				t = sprintf("%d", 1700000000 + i * 37 % 9000)
				if (kind == 1) t = t sprintf(".%03d", rnd(1000))
				if (kind == 2) t = t "." substr("123456789", 1, 1 + rnd(9))
				if (kind > 2) t = sprintf("2023-11-%02dT%02d:%02d:%02d%s", 14 + int(i / 2000), 20 + rnd(5), rnd(61), rnd(62), kind == 3 ? "Z" : "")
				if (rnd(4) == 0) { at = 1 + rnd(length(t)); t = substr(t, 1, at - 1) substr(odd, 1 + rnd(length(odd)), 1) substr(t, at + 1) }
				if (rnd(20) == 0) t = substr(t, 1, rnd(length(t)))
				print t
			} }' >texts
	for tz in UTC +05:30; do
		strm --tz $tz -o json --every eof 'filter line != null' 'watermark line delay 1h' 'map t = @event' -- texts 2>/dev/null >got
		strm --tz $tz -o json --every eof 'filter line != null' 'map t = time(line)' -- texts 2>/dev/null >want
		[ "$(grep -c null want)" -gt 100 ]
		cmp got want
	done
}
