noinst_LIBRARIES += src/libcodec.a
src_libcodec_a_SOURCES =
src_libcodec_a_SOURCES += src/codec/codec.h
