noinst_LIBRARIES += src/libdata.a
src_libdata_a_SOURCES =
src_libdata_a_SOURCES += src/data/batch.h
src_libdata_a_SOURCES += src/data/value.h
