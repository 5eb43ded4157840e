noinst_LIBRARIES += src/libstage.a
src_libstage_a_SOURCES =
