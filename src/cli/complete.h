/* Completion scripts for shells, from the registries. */
#ifndef STRM_CLI_COMPLETE_H
#define STRM_CLI_COMPLETE_H
#include <stdbool.h>

#include "base/buf.h"

/* The script for bash, zsh or fish, appended to b; false for another shell. */
bool completion(struct buf *b, const char *shell);

#endif
