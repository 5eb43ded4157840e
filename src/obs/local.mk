noinst_LIBRARIES += src/libobs.a
src_libobs_a_SOURCES =
src_libobs_a_SOURCES += src/obs/figures.c src/obs/figures.h src/obs/progress.c src/obs/progress.h
src_libobs_a_SOURCES += src/obs/stats.c src/obs/stats.h src/obs/status.c src/obs/status.h
