# One line for each unit test: unit_tests += tests/unit/FOLDER_TOPIC (from tests/unit/FOLDER_TOPIC.c).
unit_tests =
unit_tests += tests/unit/data_json_value
unit_tests += tests/unit/codec_pattern
unit_tests += tests/unit/codec_text
unit_tests += tests/unit/codec_csv_diff
EXTRA_DIST += tests/unit/codec_util.h
unit_tests += tests/unit/base_regex
unit_tests += tests/unit/base_num
unit_tests += tests/unit/base_time
unit_tests += tests/unit/base_utf8
unit_tests += tests/unit/io_source
unit_tests += tests/unit/io_sink
EXTRA_DIST += tests/unit/test.h

check_PROGRAMS += $(unit_tests)
unit_tests += tests/unit/agg_props
EXTRA_DIST += tests/unit/agg_fixture.h
