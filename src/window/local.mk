noinst_LIBRARIES += src/libwindow.a
src_libwindow_a_SOURCES =
src_libwindow_a_SOURCES += src/window/winset.c src/window/winset.h
src_libwindow_a_SOURCES += src/window/window.c src/window/window.h
src_libwindow_a_SOURCES += src/window/trigger.c src/window/trigger.h src/window/trigger_print.c src/window/trigger_continued.c
