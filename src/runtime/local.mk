noinst_LIBRARIES += src/libruntime.a
src_libruntime_a_SOURCES =
src_libruntime_a_SOURCES += src/runtime/job.c src/runtime/job.h
