/* The csv decoder under any input: codec_fuzz.h. */
#define FORMAT "csv"
#include "codec_fuzz.h"
