/* The logfmt decoder under any input: codec_fuzz.h. */
#define FORMAT "logfmt"
#include "codec_fuzz.h"
