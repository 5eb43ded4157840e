noinst_LIBRARIES += src/libplan.a
src_libplan_a_SOURCES =
src_libplan_a_SOURCES += src/plan/times.c src/plan/times.h src/plan/lower_time.c
src_libplan_a_SOURCES += src/plan/pipeline.c src/plan/pipeline.h src/plan/plan.c src/plan/plan.h src/plan/known.c src/plan/known.h src/plan/rules.c src/plan/lower.c src/plan/lower.h src/plan/lower_reduce.c src/plan/explain.c
src_libplan_a_SOURCES += src/plan/link.c
src_libplan_a_SOURCES += src/plan/state_spec.c src/plan/state_spec.h src/plan/lower_state.c
src_libplan_a_SOURCES += src/plan/join.c src/plan/join.h
src_libplan_a_SOURCES += src/plan/cogroup.c src/plan/cogroup.h
