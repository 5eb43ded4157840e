noinst_LIBRARIES += src/libruntime.a
src_libruntime_a_SOURCES =
src_libruntime_a_SOURCES += src/runtime/late.c src/runtime/late.h
src_libruntime_a_SOURCES += src/runtime/job.c src/runtime/job.h
src_libruntime_a_SOURCES += src/runtime/input.c src/runtime/job_impl.h src/runtime/clock.c src/runtime/clock.h
src_libruntime_a_SOURCES += src/runtime/live.c
src_libruntime_a_SOURCES += src/runtime/live_impl.h src/runtime/live_marks.c src/runtime/marked.c src/runtime/meter.c
