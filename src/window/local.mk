noinst_LIBRARIES += src/libwindow.a
src_libwindow_a_SOURCES =
