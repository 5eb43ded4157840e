noinst_LIBRARIES += src/libobs.a
src_libobs_a_SOURCES =
