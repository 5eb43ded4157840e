# README.md says what is so: each command that it shows with its output prints that, in the directory that the text names. The
# tutorial's results are compared with what sqlite3 makes of the same files.
# RETAIL_DAYS=DIR takes DIR/*.csv, the days of a shop, in place of those that the tutorial makes.

bats_require_minimum_version 1.5.0

setup() {
	PATH="$BUILDDIR:$PATH"
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -R "$SRCDIR/examples" . && chmod -R u+w examples
	live=
}

teardown() { kill $live 2>/dev/null || true; }

# shown: the commands of the README: N.cmd, what it prints as N.want, where it runs as N.dir; prints how many there are.
shown() {
	awk '
	function begin() { n++; cmd = n ".cmd"; want = n ".want"; printf "%s\n", dir >(n ".dir"); printf "" >want }
	BEGIN { dir = "." }
	/^## / { dir = "." }
	match($0, /[Ii]n `examples\/[a-z-]+`/) { dir = substr($0, RSTART + 4, RLENGTH - 5) }
	!/^    / { cmd = want = "" }
	/^    \$ / { begin(); more = 1 }
	/^    / && more { sub(/^    (\$ )?/, ""); print >cmd; more = /\\$/; next }
	/^    / && want != "" { sub(/^    /, ""); print >want }
	END { print n }' "$SRCDIR/README.md"
}

# command WORDS: the line of the tutorial's commands without `$` that begins with WORDS.
command() { sed -n "s|^    \($1 .*\)|\1|p" "$SRCDIR/README.md" | head -n 1; }

days() {
	if [ -n "${RETAIL_DAYS:-}" ]; then
		mkdir days && cp "$RETAIL_DAYS"/*.csv days
	else
		examples/retail/make-days days
	fi
	first=$(ls days/*.csv | head -n 1)
}

# whole PATTERN: the tutorial's command with PATTERN in it, run to its end, over the first day that there is.
whole() {
	local n file
	n=$(shown)
	file=$(grep -l -e "$1" $(seq -f %g.cmd "$n") | head -n 1)
	sed -e 's/ | head -n [0-9]*$//' -e "s|days/2010-12-01.csv|$first|" "$file" >whole.sh
	sh ./whole.sh
}

# sql FILE... <QUERY: over the table sales of these files.
sql() {
	command -v sqlite3 >/dev/null || skip 'no sqlite3'
	{
		echo '.mode csv'
		echo "create table raw (InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country);"
		for file; do
			echo ".import --skip 1 $file raw"
		done
		echo "create table sales as select *, cast(strftime('%s', InvoiceDate) as integer) as t, Quantity * UnitPrice as price, rowid as i from raw;"
		cat
	} | sqlite3 | tr -d '"\r'
}

# near A B: the same lines in any order, but for a cent in the last field.
near() {
	LC_ALL=C sort "$1" >a
	LC_ALL=C sort "$2" >b
	[ "$(wc -l <a)" = "$(wc -l <b)" ]
	paste -d '\n' a b | awk -F, '
	NR % 2 { line = $0; last = $NF; sub(/[^,]*$/, ""); rest = $0; next }
	{ off = last - $NF; sub(/[^,]*$/, ""); if (rest != $0 || off > 0.011 || off < -0.011) { print line; bad = 1 } }
	END { exit bad }'
}

@test "what README shows is what comes out" {
	n=$(shown)
	[ "$n" -gt 15 ]
	[ -f /usr/share/common-licenses/GPL-3 ] || sed -i 's/.*GPL-3$/false/' 1.cmd
	for i in $(seq "$n"); do
		read -r dir <"$i.dir"
		[ "$dir" = . ] && [[ $(cat "$i.cmd") == examples/* ]] || [ -s "$i.want" ] || continue
		case $(cat "$i.cmd") in false) continue ;; esac
		(cd "$dir" && COLUMNS= sh "$BATS_TEST_TMPDIR/$i.cmd") >got 2>&1 </dev/null || true
		diff -u "$i.want" got || { cat "$i.cmd"; return 1; }
	done
}

@test "tutorial: a table a day, of files and of a directory that they are dropped into" {
	days
	sql days/*.csv >want <<-'END'
		select date(t, 'unixepoch') || 'T00:00:00Z', CustomerID, printf('%.2f', sum(price)) from sales group by 1, 2;
	END
	[ "$(wc -l <want)" -gt 100 ]
	whole 'by CustomerID.*days/\*' | sed 1d | cut -d, -f1,3,4 >files
	near want files

	mkdir in
	(eval "exec $(command 'strm -i csv --from dir:in')") 2>err &
	live=$!
	sleep() { :; }
	eval "$(command 'for day in')"
	# a day is out when a later one has shown that it is over; the last two are at the end
	last=$(cut -d, -f1 want | sort -u | tail -n 3 | head -n 1)
	until grep -q "^$last" daily.csv 2>/dev/null; do kill -0 "$live"; done
	until [ "$(strm -i csv 'count by window_start' -- daily.csv 2>/dev/null | wc -l)" -ge 3 ]; do kill -0 "$live"; done
	kill -INT "$live"
	wait "$live" || true
	live=
	sed 1d daily.csv | cut -d, -f1,3,4 >live.csv
	near want live.csv
}

@test "tutorial: sliding windows, in three modes" {
	days
	sql "$first" >want <<-'END'
		with w as (select t / 300 * 300 as s, Country from sales union all select t / 300 * 300 - 300, Country from sales)
		select strftime('%H:%M', s, 'unixepoch'), strftime('%H:%M', s + 600, 'unixepoch'), Country, count(*) from w group by s, Country;
	END
	[ "$(wc -l <want)" -gt 100 ]
	LC_ALL=C sort -o want want
	whole '%H:%M .watermark.*every 5m' | sed 1d | LC_ALL=C sort >append
	diff want append
	# the last word on each group; every table holds all groups so far, the last one all of them
	whole '--mode update' | sed 1d >rows
	[ "$(wc -l <rows)" -gt "$(wc -l <want)" ]
	awk -F, '{ last[$1 FS $2 FS $3] = $0 } END { for (i in last) print last[i] }' rows | LC_ALL=C sort >update
	diff want update
	whole '--mode complete' | sed 1d >rows
	tail -n "$(wc -l <want)" rows | LC_ALL=C sort >complete
	diff want complete
}

@test "tutorial: sessions" {
	days
	sql "$first" >want <<-'END'
		with a as (select *, t - lag(t) over (partition by CustomerID order by t, i) as gap from sales),
		b as (select *, sum(gap is null or gap >= 300) over (partition by CustomerID order by t, i rows unbounded preceding) as n from a)
		select strftime('%H:%M', min(t), 'unixepoch'), strftime('%H:%M', max(t) + 300, 'unixepoch'), CustomerID, count(*), printf('%.2f', sum(price))
		from b group by CustomerID, n;
	END
	[ "$(wc -l <want)" -gt 30 ]
	whole 'window session' | sed 1d >got
	near want got
}

@test "tutorial: early, on time, late" {
	days
	sql days/*.csv >want <<-'END'
		select date(t, 'unixepoch'), printf('%.2f', sum(price)) from sales group by 1;
	END
	whole 'trigger watermark' | sed 1d >panes
	# early ones, one on time, late ones; the last says what the day brought
	awk -F, '
	{ order = $4 == "early" ? 1 : $4 == "on_time" ? 2 : 3; if (order < last[$1] || order == 2 && last[$1] == 2) bad = 1
		last[$1] = order; seen[order]++ }
	END { exit bad || seen[1] < 20 }' panes
	[ -n "${RETAIL_DAYS:-}" ] || [ "$(grep -c ',late$' panes)" -ge 5 ]
	[ "$(grep -c ',on_time$' panes)" = "$(wc -l <want)" ]
	awk -F, '{ last[$1] = $3 } END { for (i in last) print i "," last[i] }' panes >got
	near want got
}
