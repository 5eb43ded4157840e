# `make bench` runs all, `make bench BENCH='log json'` these jobs; tests/bench/run tells what the environment sets.
EXTRA_PROGRAMS += tests/bench/gen tests/bench/measure
tests_bench_gen_LDADD =
tests_bench_measure_LDADD =
CLEANFILES += tests/bench/gen tests/bench/measure

bench: $(bin_PROGRAMS) tests/bench/gen tests/bench/measure
	@$(srcdir)/tests/bench/run $(BENCH)
.PHONY: bench
