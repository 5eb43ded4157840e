# A thousand kills; `make check` does a few.
crash: $(bin_PROGRAMS) tests/soak/feed
	@$(srcdir)/tests/crash/run 1000
.PHONY: crash
