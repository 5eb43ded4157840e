/* The columns decoder under any input: codec_fuzz.h. */
#define FORMAT "columns"
#include "codec_fuzz.h"
