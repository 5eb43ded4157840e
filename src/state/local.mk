noinst_LIBRARIES += src/libstate.a
src_libstate_a_SOURCES =
