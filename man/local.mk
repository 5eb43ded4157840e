# The manual pages and the completions are printed by the program from its registries.
if BUILD_PROGRAM
nodist_man_MANS = man/strm.1 man/strm-functions.7 man/strm-language.7 man/strm-semantics.7
bashcomp_dir = $(bashcompdir)
zshcomp_dir = $(zshcompdir)
fishcomp_dir = $(fishcompdir)
nodist_bashcomp__DATA = completion/strm
nodist_zshcomp__DATA = completion/_strm
nodist_fishcomp__DATA = completion/strm.fish
generated = $(nodist_man_MANS) $(nodist_bashcomp__DATA) $(nodist_zshcomp__DATA) $(nodist_fishcomp__DATA)
CLEANFILES += $(generated)

$(nodist_man_MANS): help_args = --man $(basename $(@F))
completion/strm: help_args = --completion bash
completion/_strm: help_args = --completion zsh
completion/strm.fish: help_args = --completion fish
$(generated): strm$(EXEEXT)
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)./strm$(EXEEXT) help $(help_args) > $@.tmp && mv $@.tmp $@
endif
