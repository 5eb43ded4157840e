# The load of tests/soak/*.bats. `make soak` runs their long forms, `make check` the short ones.
check_PROGRAMS += tests/soak/feed
tests_soak_feed_SOURCES = tests/soak/feed.c
tests_soak_feed_LDADD =

soak: $(bin_PROGRAMS) tests/soak/feed
	@SOAK=long $(srcdir)/tests/run soak
.PHONY: soak
