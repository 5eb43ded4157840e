# The manual page and the completions are printed by the program from its registries.
if BUILD_PROGRAM
nodist_man_MANS = man/strm.1
CLEANFILES += man/strm.1

man/strm.1: strm$(EXEEXT)
	@$(MKDIR_P) man
	$(AM_V_GEN)./strm$(EXEEXT) help --man > $@.tmp && mv $@.tmp $@
endif
