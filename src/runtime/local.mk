noinst_LIBRARIES += src/libruntime.a
src_libruntime_a_SOURCES =
