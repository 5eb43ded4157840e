noinst_LIBRARIES += src/libplan.a
src_libplan_a_SOURCES =
