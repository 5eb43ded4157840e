# `make bench` runs all, `make bench BENCH='log json'` these jobs; tests/bench/run tells what the environment sets.
EXTRA_PROGRAMS += tests/bench/gen tests/bench/measure tests/bench/pingpong
tests_bench_gen_LDADD =
tests_bench_measure_LDADD =
tests_bench_pingpong_LDADD =
CLEANFILES += tests/bench/gen tests/bench/measure tests/bench/pingpong

bench: $(bin_PROGRAMS) tests/bench/gen tests/bench/measure tests/bench/pingpong
	@$(srcdir)/tests/bench/run $(BENCH)
.PHONY: bench
