/* The lines decoder under any input: codec_fuzz.h. */
#define FORMAT "lines"
#include "codec_fuzz.h"
