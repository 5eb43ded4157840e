# One line for each fuzz target: fuzz_targets += tests/fuzz/NAME (from tests/fuzz/NAME.c, which defines
# LLVMFuzzerTestOneInput; its corpus is tests/fuzz/corpus/NAME/). Without --enable-fuzzers a target is a program that
# replays the files it is given.
fuzz_targets =
fuzz_targets += tests/fuzz/fuzz_columns tests/fuzz/fuzz_csv tests/fuzz/fuzz_lines tests/fuzz/fuzz_logfmt tests/fuzz/fuzz_tsv
EXTRA_DIST += tests/fuzz/codec_fuzz.h
fuzz_targets += tests/fuzz/fuzz_pattern

fuzz_targets += tests/fuzz/fuzz_parse
fuzz_targets += tests/fuzz/fuzz_json
fuzz_targets += tests/fuzz/fuzz_state
check_PROGRAMS += $(fuzz_targets)
if FUZZERS
fuzz_main = $(FUZZ_LDFLAGS)
else
fuzz_main = tests/fuzz/libreplay.a
endif
check_LIBRARIES += tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/replay_main.c
