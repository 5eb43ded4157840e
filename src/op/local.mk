noinst_LIBRARIES += src/libop.a
src_libop_a_SOURCES =
