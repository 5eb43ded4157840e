# `make check` runs everything, `make check WHAT='cases/words unit'` a part of it.
check-programs: $(check_PROGRAMS)
check-local: $(bin_PROGRAMS)
	@$(srcdir)/tests/run $(WHAT)
check-conformance: $(bin_PROGRAMS)
	@$(srcdir)/tests/run conformance
check-layers: $(noinst_LIBRARIES)
	@$(srcdir)/tests/check-layers $(srcdir)
.PHONY: check-conformance check-layers check-programs

not_dist = $(check_PROGRAMS) $(EXTRA_PROGRAMS) '*.o' '*.a' .deps .dirstamp .gitignore
dist-hook:
	cd $(srcdir) && tar cf - $(addprefix --exclude=,$(not_dist)) tests examples | tar xf - -C $(abs_builddir)/$(distdir)
