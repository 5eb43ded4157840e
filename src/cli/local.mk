noinst_LIBRARIES += src/libcli.a
src_libcli_a_SOURCES =
src_libcli_a_SOURCES += src/cli/options.c src/cli/options.h src/cli/report.c src/cli/report.h src/cli/run.c src/cli/run.h
src_libcli_a_SOURCES += src/cli/help.c src/cli/help.h src/cli/page.c src/cli/page.h src/cli/catalog.c src/cli/catalog.h src/cli/entry.c src/cli/entry.h
src_libcli_a_SOURCES += src/cli/inputs.c src/cli/inputs.h
src_libcli_a_SOURCES += src/cli/topics.c src/cli/topics.h src/cli/man.c src/cli/man.h src/cli/complete.c src/cli/complete.h
src_libcli_a_SOURCES += src/cli/monitor.c src/cli/monitor.h src/cli/signals.c src/cli/signals.h
src_libcli_a_SOURCES += src/cli/durable.c src/cli/durable.h
src_libcli_a_SOURCES += src/cli/parallels.c src/cli/parallels.h src/cli/parallels_dstream.c src/cli/parallels_structured.c
src_libcli_a_SOURCES += src/cli/parallels_millwheel.c src/cli/parallels_beam.c
src_libcli_a_SOURCES += src/cli/inspect.c src/cli/inspect.h src/cli/inspect_list.c src/cli/inspect_keys.c
src_libcli_a_SOURCES += src/cli/inspect_layout.c src/cli/inspect_rows.c
src_libcli_a_CPPFLAGS = $(cli_cppflags)

if BUILD_PROGRAM
bin_PROGRAMS += strm
strm_SOURCES = src/cli/main.c
strm_CPPFLAGS = $(cli_cppflags)
strm_LDADD = $(libs_cli) $(outside_libs)
endif
