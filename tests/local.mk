EXTRA_DIST += tests/run tests/check-layers

check-local: check-layers
	@$(srcdir)/tests/run
check-layers: $(noinst_LIBRARIES)
	@NM='$(NM)' AR='$(AR)' $(srcdir)/tests/check-layers $(srcdir)
.PHONY: check-layers
