# Windows over processing time against a plain oracle: awk keeps every record and adds up what each window covers.

setup() {
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR" || return 1
}

# records SEED: "KEY VALUE" lines in 25 micro-batches of a second, some of them empty.
records() {
	awk -v seed="$1" 'BEGIN {
		srand(seed)
		for (t = 1; t <= 25; t++) {
			n = int(rand() * 8) - 2
			for (i = 0; i < n; i++) print substr("abcde", 1 + int(rand() * 5), 1), int(rand() * 20) - 6
			print "\f clock=+1s"
		}
	}'
}

# oracle LENGTH SLIDE: "END KEY COUNT SUM MAX" of each key and window, sorted.
oracle() {
	awk -v length_s="$1" -v slide="$2" '
	/^\f/ { t++
		if (t % slide) next
		split("", n); split("", s); split("", m)
		for (i = 1; i <= rows; i++) if (at[i] > t - length_s) {
			k = key[i]; v = val[i]
			if (!(k in n) || v > m[k]) m[k] = v
			n[k]++; s[k] += v
		}
		for (k in n) print t, k, n[k], s[k], m[k]
		next }
	{ rows++; key[rows] = $1; val[rows] = $2 + 0; at[rows] = t + 1 }' | sort
}

windows() {
	strm -i columns --header k,v -o columns --every mark "window ${1}s every ${2}s" "$3" \
		'map e = epoch(window_end), k, n, s, m' | sort
}

@test "sliding windows with an inverse give what each window covers" {
	for seed in 1 2 3 4 5 6; do
		for w in '1 1' '2 1' '5 1' '3 2' '2 3' '7 4'; do
			records $seed >in
			oracle $w <in >want
			# shellcheck disable=SC2086
			windows $w 'reduce n = count(), s = sum(v), m = 0 * sum(v) by k' <in | sed 's/ [^ ]*$//' >got
			sed 's/ [^ ]*$//' want | diff - got
		done
	done
}

@test "sliding windows without an inverse give what each window covers" {
	for seed in 7 8 9 10 11 12; do
		for w in '1 1' '2 1' '5 1' '3 2' '2 3' '7 4'; do
			records $seed >in
			oracle $w <in >want
			# shellcheck disable=SC2086
			windows $w 'reduce n = count(), s = sum(v), m = max(v) by k' <in >got
			diff want got
		done
	done
}

@test "a window kept as records gives the same" {
	records 13 >in
	oracle 4 2 <in >want
	windows 4 2 'reduce n = fold(a, 0, a + 1), s = fold(a, 0, a + v), m = max(v) by k' <in >got
	diff want got
}
