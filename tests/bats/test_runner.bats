# The runner and the layer check notice what they are there to notice. A tree of its own, with a strm of three lines.

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/tests/cases/topic/name" "$tree/tests/unit"
	cp "$SRCDIR/tests/run" "$SRCDIR/tests/check-layers" "$tree/tests/"
	printf '#!/bin/sh\nprintf "out\\n"\nprintf "err\\n" >&2\nexit ${1:-0}\n' >"$tree/strm"
	chmod +x "$tree/strm"
	case=$tree/tests/cases/topic/name
	echo 'strm' >"$case/cmd"
	echo 'out' >"$case/expect"
	unset STRM_TEST_BATCH
	cd "$tree"
}

runner() { run --separate-stderr env STRM_BUILD="$tree" "$tree/tests/run" "$@"; }

closing() { printf '%s\n' "${lines[-1]}"; }

unit_test() {
	: >"$tree/tests/unit/base_x.c"
	printf '#!/bin/sh\n%s\n' "$1" >"$tree/tests/unit/base_x"
	chmod +x "$tree/tests/unit/base_x"
	runner unit
}

@test "a case that answers as expected passes" {
	runner cases
	[ "$status" -eq 0 ]
	[ "$(closing)" = '1 passed, 0 failed' ]
}

@test "other bytes on stdout fail, down to the last newline" {
	printf 'out' >"$case/expect"
	runner cases
	[ "$status" -eq 1 ]
	[ "$(closing)" = '0 passed, 1 failed' ]
	[[ "$output" == *'not ok cases/topic/name'*'No newline at end of file'* ]]
}

@test "without expect, any output fails" {
	rm "$case/expect"
	runner cases
	[ "$status" -eq 1 ]
}

@test "another exit status fails" {
	echo 'strm 4' >"$case/cmd"
	runner cases
	[ "$status" -eq 1 ]
	[[ "$output" == *'exit status 4, wanted 0'* ]]
	echo 4 >"$case/status"
	runner cases
	[ "$status" -eq 0 ]
}

@test "stderr counts where a file says what it must be" {
	echo err >"$case/stderr"
	runner cases
	[ "$status" -eq 0 ]
	echo other >"$case/stderr"
	runner cases
	[ "$status" -eq 1 ]
}

@test "a case leaves nothing behind and sees its own files" {
	printf 'cat input; echo x >input; echo y >new\n' >"$case/cmd"
	printf 'a\0b' >"$case/input"
	cp "$case/input" "$case/expect"
	runner cases
	[ "$status" -eq 0 ]
	[ ! -e "$case/new" ]
	cmp "$case/input" "$case/expect"
}

@test "update rewrites what the case expects" {
	rm "$case/expect"
	echo 'strm 3' >"$case/cmd"
	runner --update cases/topic/name
	[ "$status" -eq 0 ]
	[ "$(cat "$case/expect" "$case/stderr" "$case/status")" = $'out\nerr\n3' ]
	runner --update
	[ "$status" -eq 2 ]
}

@test "a name that is no test is an error, and so is a run of nothing" {
	runner cases/topic/nome
	[ "$status" -eq 2 ]
	rm -r "$case"
	runner cases
	[ "$status" -eq 1 ]
	[ "$(closing)" = '0 passed, 0 failed' ]
}

@test "batch sizes reach the cases" {
	echo 'echo $STRM_TEST_BATCH' >"$case/cmd"
	echo 3 >"$case/expect"
	runner --batch 3 cases
	[ "$status" -eq 0 ]
}

@test "a unit program that fails, dies, stops early or was not built fails" {
	unit_test 'echo "ok 1 - a"; echo "1..1"'
	[ "$status" -eq 0 ]
	unit_test 'echo "# why"; echo "not ok 1 - a"; echo "ok 2 - b"; echo "1..2"; exit 1'
	[ "$(closing)" = '1 passed, 1 failed' ]
	[[ "$output" == *'# why'* ]]
	unit_test 'echo "ok 1 - a"; echo "1..1"; exit 99'
	[ "$(closing)" = '1 passed, 1 failed' ]
	unit_test 'echo "ok 1 - a"'
	[ "$(closing)" = '1 passed, 1 failed' ]
	unit_test 'echo "1..2"; echo "ok 1 - a"'
	[ "$(closing)" = '1 passed, 1 failed' ]
	unit_test 'echo "1..0"'
	[ "$(closing)" = '0 passed, 1 failed' ]
	rm tests/unit/base_x
	runner unit
	[[ "$output" == *'not built'* ]]
	[ "$status" -eq 1 ]
}

layers() { run --separate-stderr env BUILDDIR="$tree" "$tree/tests/check-layers" "$tree"; }

@test "an include that goes up or sideways is seen" {
	mkdir -p src/low src/a src/b
	printf '0 low\n1 a b\n' >src/LAYERS
	echo '#include "low/low.h"' >src/a/a.c
	: >src/b/b.c
	: >src/low/low.h
	layers
	[ "${lines[0]}" = 'ok 1 - every include goes down' ]
	echo '#include "a/a.h"' >src/low/low.h
	layers
	[[ "${lines[0]}" == *'low (floor 0) includes a (floor 1)' ]]
	echo '#include "a/a.h"' >src/b/b.c
	: >src/low/low.h
	layers
	[[ "${lines[0]}" == *'b (floor 1) includes a (floor 1)' ]]
}

@test "an archive that needs a higher floor is seen, and a file that is not listed" {
	mkdir -p src/low src/high gnulib
	printf '0 low\n1 high\n' >src/LAYERS
	printf 'CC = cc\nCFLAGS =\nSAN_CFLAGS =\nCSV_LIBS =\nJANSSON_LIBS =\nPCRE2_LIBS =\nLIBS =\n' >Makefile
	echo 'int up(void); int low(void); int low(void) { return up(); }' >src/low/low.c
	echo 'int low(void); int up(void); int up(void) { return low(); }' >src/high/high.c
	for folder in low high; do
		cc -c -o "$folder.o" "src/$folder/$folder.c"
		ar rc "src/lib$folder.a" "$folder.o"
	done
	ar rc gnulib/libgnu.a
	for folder in low high; do
		echo "x += src/$folder/$folder.c" >"src/$folder/local.mk"
	done
	layers
	[ "$status" -eq 1 ]
	[[ "$output" == *"undefined reference to \`up'"*'not ok 3 - src/low'* ]]
	echo 'int low(void); int low(void) { return 1; }' >src/low/low.c
	cc -c -o low.o src/low/low.c && ar rc src/liblow.a low.o
	layers
	[ "$status" -eq 0 ]
	: >src/low/new.c
	layers
	[[ "$output" == *'low/new.c'*'not ok 2 - '* ]]
}
