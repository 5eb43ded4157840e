#!/usr/bin/env bats
# The same question to strm and to awk, sort, jq, sqlite3 and bc: the same answer. Data come from a generator without chance.

setup() { cd "$BATS_TEST_TMPDIR" || exit 1; }

need() {
	for tool; do
		command -v "$tool" >/dev/null || skip "no $tool"
	done
}

# numbers N EXPRESSION: N lines, each what awk makes of r(), a whole number from 0 to 65535.
numbers() {
	awk -v n="$1" 'function r() { s = (s * 1103515245 + 12345) % 2147483648; return int(s / 32768) }
		BEGIN { s = 42; for (i = 0; i < n; i++) '"$2"' }'
}

sales() { # id,city,amount,price
	echo id,city,amount,price
	numbers "$1" '{ a = r(); b = r(); printf "%d,c%d,%d,%.2f\n", i, a % 17, b % 1000 - 300, r() / 64 }'
}

events() {
	numbers "$1" '{ a = r(); b = r() % 5; c = r() % 1000; d = r() % 3
		printf "{\"id\":%d,\"user\":{\"name\":\"u%d\",\"age\":%d},\"n\":%s,\"tags\":[%s]%s}\n", i, a % 50, b * 11,
			d ? c : d == 1 ? c / 8 : "null", c % 4 ? "\"t" c % 4 "\",\"x\"" : "", d == 2 ? ",\"ok\":true" : "" }'
}

same() { diff -u "$1" "$2" | head -n 20; cmp -s "$1" "$2"; }

@test "words and counts as awk counts them" {
	numbers 20000 '{ printf "%s%s", "w" r() % 700, i % 7 ? " " : "\n" }' >in
	strm words 'count by word' <in >a
	awk '{ for (i = 1; i <= NF; i++) { if (!n[$i]++) o[m++] = $i } } END { for (i = 0; i < m; i++) print o[i] "\t" n[o[i]] }' in >b
	same a b
}

@test "top as sort and head choose" {
	numbers 20000 '{ print "w" r() % 700 }' >in
	strm 'count by line' 'sort count desc, line' 'limit 25' <in >a
	sort in | uniq -c | sort -k1,1nr -k2,2 | head -n 25 | awk '{ print $2 "\t" $1 }' >b
	same a b
}

@test "integer sums by key as awk adds them" {
	sales 20000 >in.csv
	strm -i csv 'reduce n = count(), s = sum(amount), lo = min(amount), hi = max(amount) by city' -- in.csv >a
	awk -F, 'NR == 1 { print "city,n,s,lo,hi"; next }
		!($2 in n) { o[m++] = $2; lo[$2] = hi[$2] = $3 + 0 }
		{ n[$2]++; s[$2] += $3; if ($3 + 0 < lo[$2]) lo[$2] = $3 + 0; if ($3 + 0 > hi[$2]) hi[$2] = $3 + 0 }
		END { for (i = 0; i < m; i++) print o[i] "," n[o[i]] "," s[o[i]] "," lo[o[i]] "," hi[o[i]] }' in.csv >b
	same a b
}

@test "group by, having and order by as sqlite3 has them" {
	need sqlite3
	sales 10000 >in.csv
	strm -i csv 'filter amount > 0 and price < 900' 'reduce n = count(), s = sum(amount), d = count(distinct amount), a = round(avg(price), 6) by city' \
		'filter n > 100' 'sort s desc, city' --no-header -- in.csv >a || true
	strm -i csv -o csv 'filter amount > 0 and price < 900' \
		'reduce n = count(), s = sum(amount), d = count(distinct amount), a = round(avg(price) * 1000) by city' \
		'filter n > 100' 'sort s desc, city' -- in.csv | tail -n +2 >a
	sqlite3 -csv :memory: '.import in.csv t' "select city, count(*), sum(cast(amount as integer)), count(distinct amount),
		cast(round(avg(cast(price as real)) * 1000) as integer) from t
		where cast(amount as integer) > 0 and cast(price as real) < 900 group by city having count(*) > 100
		order by sum(cast(amount as integer)) desc, city" | tr -d '\r' >b
	same a b
}

@test "averages and variances as sqlite3 works them out" {
	need sqlite3
	sales 5000 >in.csv
	strm -i csv -o csv 'reduce n = count(), a = avg(amount), v = var(amount) by city' 'map city, n, a = round(a * 1e6), v = round(v * 1000)' 'sort city' \
		-- in.csv | tail -n +2 >a
	sqlite3 -csv :memory: '.import in.csv t' "select city, count(*), cast(round(avg(cast(amount as real)) * 1e6) as integer),
		cast(round((sum(1.0 * amount * amount) - 1.0 * sum(0 + amount) * sum(0 + amount) / count(*)) / (count(*) - 1) * 1000) as integer)
		from t group by city order by city" | tr -d '\r' >b
	same a b
}

@test "the order of numbers as sort -g has it" {
	numbers 20000 '{ a = r(); b = r(); m = a % 5
		print m == 0 ? a - 30000 : m == 1 ? (a - 30000) / 128 : m == 2 ? b "e" a % 40 - 20 : m == 3 ? "-" b "." a : "0" a }' >in
	strm 'sort line' <in >a
	LC_ALL=C sort -s -g in >b
	same a b
	strm 'sort line desc' <in >a
	LC_ALL=C sort -s -g -r in >b
	same a b
}

@test "the order of text as sort has it" {
	numbers 20000 '{ a = r(); printf "%c%c%s\n", 97 + a % 26, 65 + r() % 60, a % 3 ? "x" a % 100 : "" }' >in
	strm 'sort line' <in >a
	LC_ALL=C sort -s in >b
	same a b
}

@test "the first of each key as awk picks it" {
	sales 20000 >in.csv
	strm -i csv 'dedup by city, n = amount % 10' -- in.csv >a
	awk -F, 'NR == 1 || !seen[$2, ($3 % 10 + 10) % 10]++' in.csv >b
	same a b
	strm -i csv 'map amount' dedup -- in.csv >a
	awk -F, '!seen[$3]++ { print $3 }' in.csv >b
	same a b
}

@test "top per key as awk and sort pick it" {
	sales 20000 >in.csv
	strm -i csv 'top 3 by amount per city' 'sort city' -- in.csv | tail -n +2 >a
	tail -n +2 in.csv | LC_ALL=C sort -s -t, -k2,2 -k3,3gr | awk -F, 'c[$2]++ < 3' >b
	same a b
}

@test "integer arithmetic as bc does it" {
	need bc
	numbers 3000 '{ printf "%.0f,%d\n", r() * 65536 * (i % 3 ? 1 : -1) + r(), r() % 5000 + 1 }' >in
	strm -i csv --no-header --header a,b -o csv 'map s = a + b, d = a - b, p = a * b, q = (a - a % b) // b' -- in | tail -n +2 >a || true
	strm -i csv --no-header --header a,b 'map x = (a + b) ++ " " ++ (a - b) ++ " " ++ a * b' -o lines -- in >a
	awk -F, '{ print $1 "+" $2 "; " $1 "-" $2 "; " $1 "*" $2 }' in | bc | paste -d ' ' - - - >b
	same a b
}

@test "floor division and remainder hold together" {
	numbers 5000 '{ print r() - 30000 "," (r() % 2 ? 1 : -1) * (r() % 200 + 1) }' >in
	strm -i csv --no-header --header a,b 'filter a // b * b + a % b != a or (a % b != 0 and (a % b < 0) != (b < 0)) or abs(a % b) >= abs(b)' 'count' \
		-o lines -- in >a
	echo 0 >b
	same a b
}

@test "powers of two as bc has them" {
	need bc
	seq 0 62 | strm -o lines 'map x = 2 ** line' >a
	seq 0 62 | sed 's/^/2^/' | bc >b
	same a b
}

@test "sums of floats do not depend on the order" {
	numbers 20000 '{ printf "%se%d\n", r() - 32768, r() % 60 - 30 }' >in
	strm 'reduce s = sum(line), a = avg(line)' <in >a
	tac in | strm 'reduce s = sum(line), a = avg(line)' >b
	same a b
	LC_ALL=C sort in | strm 'reduce s = sum(line), a = avg(line)' >b
	same a b
}

@test "filters of JSON as jq selects" {
	need jq
	events 5000 >in
	strm -i json 'filter n > 500 and user.age >= 22' <in >a
	jq -c 'select(.n != null and .n > 500 and .user.age >= 22)' in >b
	same a b
	strm -i json 'filter ok' <in >a
	jq -c 'select(.ok)' in >b
	same a b
	strm -i json 'filter user.name =~ /^u1/ and not "t1" in tags' <in >a
	jq -c 'select((.user.name | test("^u1")) and (.tags | index("t1") | not))' in >b
	same a b
}

@test "maps of JSON as jq makes objects" {
	need jq
	events 5000 >in
	strm -i json 'map id, who = user.name, age = user.age + 1, t = len(tags), first = tags[0], last = tags[-1], ok = ok ?? false' <in >a
	jq -c '{id, who: .user.name, age: (.user.age + 1), t: (.tags | length), first: .tags[0], last: .tags[-1], ok: (.ok // false)}' in >b
	same a b
	strm -i json 'set user = {name: upper(user.name)}, n = null' <in >a
	jq -c '.user = {name: (.user.name | ascii_upcase)} | .n = null' in >b
	same a b
	strm -i json 'drop tags, user' <in >a
	jq -c 'del(.tags, .user)' in >b
	same a b
}

@test "lists as jq maps and selects them" {
	need jq
	numbers 2000 '{ printf "{\"v\":["; k = r() % 6; for (j = 0; j < k; j++) printf "%s{\"a\":%d,\"b\":[%d,%d]}", j ? "," : "", r() % 9, r() % 9, j; print "]}" }' >in
	strm -i json 'map a = v.a, e = each(x, v, x.a * 10 + x.b[1]), k = keep(x, v, x.a > 4).b, n = each(x, v, each(y, x.b, y + x.a))' <in >a
	jq -c '{a: [.v[].a], e: [.v[] | .a * 10 + .b[1]], k: [.v[] | select(.a > 4) | .b], n: [.v[] | .a as $a | [.b[] + $a]]}' in >b
	same a b
	strm -i json 'flatmap x = v' 'map x.a, b = x.b[0]' <in >a
	jq -c '.v[] | {a, b: .b[0]}' in >b
	same a b
}

@test "groups of JSON as jq groups them" {
	need jq
	events 3000 >in
	strm -i json 'group by name = user.name' 'map name, ids = group.id, n = len(group), s = list_sum(keep(x, group.n, x > 0))' 'sort name' <in >a
	jq -sc 'group_by(.user.name)[] | {name: .[0].user.name, ids: [.[].id], n: length, s: ([.[].n | select(. != null and . > 0)] | add // 0)}' in >b
	same a b
	strm -i json 'reduce n = count(), c = collect(id), t = count(ok) by user.age' 'sort age' <in >a
	jq -sc 'group_by(.user.age)[] | {age: .[0].user.age, n: length, c: [.[].id], t: (map(select(.ok)) | length)}' in >b
	same a b
}

@test "the order of JSON values as jq sorts them, where they agree" {
	need jq
	numbers 2000 '{ a = r() % 5; print "{\"v\":" (a == 0 ? "null" : a == 1 ? (r() % 2 ? "true" : "false") : a == 2 ? r() / 16 : a == 3 ? "\"s" r() % 99 "\"" : "[" r() % 9 "," r() % 9 "]") ",\"i\":" i "}" }' >in
	strm -i json 'sort v' 'filter not is_null(v)' 'map v, i' <in >a
	jq -sc 'sort_by(.v)[] | select(.v != null) | {v, i}' in >b
	same a b
}

@test "CSV to JSON as jq reads the same text" {
	need jq
	sales 500 >in.csv
	strm -i csv -o json 'map id, city, amount, price = price + 0' -- in.csv >a
	tail -n +2 in.csv | jq -Rc 'split(",") | {id: .[0] | tonumber, city: .[1], amount: .[2] | tonumber, price: .[3] | tonumber}' >b
	same a b
}

# sided N: records s,k,t,v of two streams, times in disorder by up to 20 s.
sided() {
	echo s,k,t,v
	numbers "$1" '{ a = r(); b = r(); printf "%s,%s,%d,%d\n", a % 2 ? "l" : "r", b % 7 ? "k" b % 40 : "", i + 20 - b % 20, i }'
}

# joined KIND: l and r of in.csv within 15 s, as sqlite3 finds them.
joined() {
	local both='l JOIN r ON l.k = r.k AND r.t - l.t BETWEEN -5 AND 15' some='r WHERE l.k = r.k AND r.t - l.t BETWEEN -5 AND 15'
	local other='l WHERE l.k = r.k AND r.t - l.t BETWEEN -5 AND 15' pairs
	pairs="SELECT l.k, l.t, l.v, r.t, r.v FROM $both"
	local lone="SELECT l.k, l.t, l.v, NULL, NULL FROM l WHERE NOT EXISTS (SELECT 1 FROM $some)"
	local rone="SELECT r.k, NULL, NULL, r.t, r.v FROM r WHERE NOT EXISTS (SELECT 1 FROM $other)"
	case $1 in
	left) pairs="$pairs UNION ALL $lone" ;;
	right) pairs="$pairs UNION ALL $rone" ;;
	full) pairs="$pairs UNION ALL $lone UNION ALL $rone" ;;
	semi) pairs="SELECT k, t, v FROM l WHERE EXISTS (SELECT 1 FROM $some)" ;;
	anti) pairs="SELECT k, t, v FROM l WHERE NOT EXISTS (SELECT 1 FROM $some)" ;;
	esac
	sqlite3 -csv :memory: '.mode csv' '.import in.csv x' "CREATE TABLE y AS SELECT s, nullif(k, '') AS k, CAST(t AS INT) AS t, v FROM x;
		CREATE TABLE l AS SELECT k, t, v FROM y WHERE s = 'l'; CREATE TABLE r AS SELECT k, t, v FROM y WHERE s = 'r';
		CREATE INDEX i ON r (k, t); CREATE INDEX j ON l (k, t); $pairs"
}

# fields KIND: those of the answer, in order.
fields() {
	case $1 in
	semi | anti) echo k, t, v ;;
	*) echo k, t, v, rt, rv ;;
	esac
}

@test "interval joins of every kind as sqlite3 finds them, however the stream is cut" {
	need sqlite3
	sided 6000 >in.csv
	for kind in inner left right full semi anti; do
		joined "$kind" | tr -d '\r"' | sort >b
		for cut in eof 1000r 7r; do
			strm -i csv --every "$cut" 'watermark t delay 21s' 'split l = s == "l", r = s == "r"' 'from r | map k, rt = t, rv = v | as r2' \
				"from l | map k, t, v | join r2 on k within -5s to 15s ${kind#inner}" "select $(fields "$kind")" --from in.csv >out
			tail -n +2 out | sort >a
			same a b
		done
	done
}

@test "joins of whole files as sqlite3 finds them" {
	need sqlite3
	numbers 3000 '{ a = r(); printf "%s,%d\n", a % 9 ? "k" a % 900 : "", i }' >l
	numbers 2000 '{ a = r(); printf "%s,%d\n", a % 5 ? "k" a % 1200 : "", i }' >r
	{ echo k,a; cat l; } >l.csv
	{ echo k,b; cat r; } >r.csv
	for kind in '' left right full; do
		for eq in '' '<=>'; do
			op='='
			[ -z "$eq" ] || op=IS
			sqlite3 -csv :memory: "CREATE TABLE l0 (k, a); CREATE TABLE r0 (k, b);" '.mode csv' '.import l l0' '.import r r0' \
				"CREATE TABLE l AS SELECT nullif(k, '') AS k, a FROM l0; CREATE TABLE r AS SELECT nullif(k, '') AS k, b FROM r0;
				SELECT coalesce(l.k, r.k), a, b FROM l ${kind:-inner} JOIN r ON l.k $op r.k" | tr -d '\r"' | sort >b
			strm --from l=l.csv --from r=r.csv "from l | join r on k${eq:+ <=> k} $kind" 'select k, a, b' | tail -n +2 | sort >a
			same a b
		done
	done
}

@test "answers do not depend on the size of batches" {
	sales 3000 >in.csv
	for n in 1 3 7 2048; do
		STRM_TEST_BATCH=$n strm -i csv 'set x = price * amount' 'filter x > 100 or city == "c3"' 'top 5 by x per city' 'sort city desc, id' \
			'reduce n = count(), s = sum(x), f = first(id), l = collect(id) by city, odd = amount % 2' -- in.csv >"out.$n"
	done
	same out.1 out.3
	same out.1 out.7
	same out.1 out.2048
}
