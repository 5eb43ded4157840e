# What the tests of state that is larger than --mem share.

# A record for each second; event times are up to a minute behind.
timed() {
	awk 'BEGIN { srand(7); for (i = 1; i <= 60000; i++) { k = int(rand() * rand() * 70000)
		printf "{\"k\":%s,\"v\":%d,\"at\":%d,\"ts\":%d}\n", i % 3 ? k : "\"" k "\"", i % 7, 1e9 + i, 1e9 + i - int(rand() * 50) } }'
}

# in_parts DIR OPTION...: the program over the first 20000 records, 45000, and all.
in_parts() {
	local dir=$1
	shift
	for n in 20000 45000 60000; do
		head -n "$n" in >half
		strm -i json -o json --checkpoint "$dir" --every 500s --replay at "$@" "$program" --to "file:$dir.out" -- half
	done
}

# kill_and_go_on MEM OPTION... PROGRAM: killed six times, the same as in one run with all in memory.
kill_and_go_on() {
	local mem=$1
	shift
	rm -rf d got one
	strm -i json -o json --checkpoint one "$@" -- in >want
	for ((i = 1; i <= 200; i++)); do
		strm -i json -o json --checkpoint d --mem "$mem" "$@" --to file:got -- in &
		pid=$!
		[ "$i" -gt 6 ] && { wait "$pid" && break || false; }
		until [ "$(stat -c %s got 2>/dev/null || echo 0)" -ge $((i * 60000)) ] || ! kill -0 "$pid" 2>/dev/null; do :; done
		kill -9 "$pid" 2>/dev/null || :
		wait "$pid" || :
	done
	cmp want got
}
