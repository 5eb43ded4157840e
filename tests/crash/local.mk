# A thousand kills; `make check` does a few.
crash: $(bin_PROGRAMS)
	@$(srcdir)/tests/crash/run 1000
.PHONY: crash
