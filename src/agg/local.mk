noinst_LIBRARIES += src/libagg.a
src_libagg_a_SOURCES =
src_libagg_a_SOURCES += src/agg/agg.h
