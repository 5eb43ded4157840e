/* The tsv decoder under any input: codec_fuzz.h. */
#define FORMAT "tsv"
#include "codec_fuzz.h"
