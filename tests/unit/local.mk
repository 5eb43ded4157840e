# One line for each unit test: unit_tests += tests/unit/FOLDER_TOPIC (from tests/unit/FOLDER_TOPIC.c).
unit_tests =
unit_tests += tests/unit/data_json_value
unit_tests += tests/unit/codec_pattern
unit_tests += tests/unit/base_regex
EXTRA_DIST += tests/unit/test.h

check_PROGRAMS += $(unit_tests)
