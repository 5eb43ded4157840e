# Properties of event time: final windows do not depend on how the input is cut, nor on the order in which records arrive as long as none is later than the
# watermark's delay. The oracle is mawk, over all records at once.

setup() {
	bats_require_minimum_version 1.5.0
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR"
	# 3,000 records of 40 keys over 1,500 s from 1969-12-31T23:50:00Z on, in order of time
	mawk -v seed=11 'BEGIN { s = seed; t = -600
		for (i = 0; i < 3000; i++) { s = (s * 16807) % 2147483647; t += (s % 1000) / 1000; s = (s * 16807) % 2147483647
			printf "%.3f,k%d,%d\n", t, s % 40, (s / 64) % 100 } }' >sorted
	# each arrives up to 30 s after it happened
	mawk -F, -v OFS=, 'BEGIN { s = 5 } { s = (s * 16807) % 2147483647; print $1 + (s % 30000) / 1000, NR, $0 }' sorted |
		LC_ALL=C sort -t, -k1,1n -k2,2n | cut -d, -f3- | sed '1i t,k,v' >late.csv
	sed '1i t,k,v' sorted >in_order.csv
}

# same WANT PROGRAM...: from every cut and both orders, sorted.
same() {
	local want=$1 cut file
	shift
	for file in in_order late; do
		for cut in 1r 7r 500r eof; do
			strm -o csv --every "$cut" "$@" -- "$file.csv" 2>err | sed 1d | LC_ALL=C sort >got
			cmp got "$want" || { echo "$file, --every $cut"; head -3 got "$want" err; return 1; }
		done
	done
}

fields='map k, s = round(epoch_ms(window_start)), e = round(epoch_ms(window_end)), n, sum'

@test "tumbling windows by key" {
	mawk -F, 'function fl(x) { return int(x) > x ? int(x) - 1 : int(x) }
		{ w = fl($1 / 60) * 60000; n[$2 "," w "," w + 60000]++; s[$2 "," w "," w + 60000] += $3 }
		END { for (i in n) print i "," n[i] "," s[i] }' sorted | LC_ALL=C sort >want
	[ "$(wc -l <want)" -gt 900 ]
	same want 'watermark time(float(t)) delay 30s' 'window 1m' 'reduce n = count(), sum = sum(v) by k' "$fields"
	same want 'watermark time(float(t)) delay 30s' 'window 1m every 1m' 'reduce n = count(), sum = sum(v) by k' "$fields"
}

@test "sliding windows by key, with an inverse and without one" {
	mawk -F, 'function fl(x) { return int(x) > x ? int(x) - 1 : int(x) }
		{ b = fl($1 / 20); for (i = 0; i < 3; i++) { w = (b - i) * 20000; j = $2 "," w "," w + 60000
			n[j]++; s[j] += $3; if (!(j in m) || $3 > m[j]) m[j] = $3 } }
		END { for (i in n) { print i "," n[i] "," s[i] >"want"; print i "," n[i] "," m[i] >"want_max" } }' sorted
	LC_ALL=C sort -o want want
	LC_ALL=C sort -o want_max want_max
	[ "$(wc -l <want)" -gt 2500 ]
	same want 'watermark time(float(t)) delay 30s' 'window 1m every 20s' 'reduce n = count(), sum = sum(v) by k' "$fields"
	same want_max 'watermark time(float(t)) delay 30s' 'window 1m every 20s' 'reduce n = count(), sum = max(v) by k' "$fields"
}

@test "sessions by key" {
	LC_ALL=C sort -t, -k2,2 -k1,1n sorted | mawk -F, '
		function out() { if (k != "") printf "%s,%.0f,%.0f,%d,%d\n", k, a * 1000, (z + 20) * 1000, n, s }
		$2 != k || $1 >= z + 20 { out(); k = $2; a = $1; n = s = 0 }
		{ z = $1; n++; s += $3 }
		END { out() }' | LC_ALL=C sort >want
	[ "$(wc -l <want)" -gt 500 ]
	same want 'watermark time(float(t)) delay 30s' 'window session 20s' 'reduce n = count(), sum = sum(v) by k' "$fields"
}

@test "what sessions collect is in the order of arrival, also where they merge late" {
	sed 1d late.csv | mawk -F, '{ print $0 "," NR }' | LC_ALL=C sort -t, -k2,2 -k1,1n | mawk -F, '
		$2 != k || $1 >= z + 20 { k = $2; a = $1; id++ }
		{ z = $1; print id "," $4 "," k "," $3 }' | LC_ALL=C sort -t, -k1,1n -k2,2n | mawk -F, '
		$1 != id { if (id) print line; id = $1; line = $3; sep = "," }
		{ line = line sep $4; sep = "-" }
		END { print line }' | LC_ALL=C sort >want
	grep -q -- -.*-.*- want
	for cut in 1r 7r eof; do
		for rows in 1 3 4096; do
			STRM_TEST_BATCH=$rows strm -o csv --every "$cut" 'watermark time(float(t)) delay 30s' 'window session 20s' 'reduce all = concat(v, "-") by k' \
				'map k, all' -- late.csv | sed 1d | LC_ALL=C sort >got
			cmp got want
		done
	done
}

@test "the first record of each key and window, whatever the cut" {
	for cut in 1r 7r eof; do
		strm -o csv --every "$cut" 'watermark time(float(t)) delay 30s' 'window 1m' 'dedup by k' 'count' 'map s = round(epoch_ms(window_start)), count' \
			-- late.csv | sed 1d >got
		mawk -F, 'function fl(x) { return int(x) > x ? int(x) - 1 : int(x) } { w = fl($1 / 60) * 60000; if (!seen[w "," $2]++) n[w]++ }
			END { for (w in n) print w "," n[w] }' sorted | sort -t, -k1,1n >want
		cmp got want
	done
}

@test "top of each window, in order of the windows" {
	strm -o csv --every 13r 'watermark time(float(t)) delay 30s' 'window 5m' 'top 2 by v asc' 'map s = round(epoch_ms(@window_start)), v' -- in_order.csv |
		sed 1d >got
	mawk -F, 'function fl(x) { return int(x) > x ? int(x) - 1 : int(x) } { print fl($1 / 300) * 300000 "," $3 }' sorted |
		sort -t, -k1,1n -k2,2n -s | mawk -F, 'n[$1]++ < 2' >want
	cmp got want
}
