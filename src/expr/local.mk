noinst_LIBRARIES += src/libexpr.a
src_libexpr_a_SOURCES =
src_libexpr_a_SOURCES += src/expr/ast.h
src_libexpr_a_SOURCES += src/expr/fn.h
src_libexpr_a_SOURCES += src/expr/parse.h
