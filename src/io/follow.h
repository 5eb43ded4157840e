/* file:PATH?follow: a file that grows and is rotated. */
#ifndef STRM_IO_FOLLOW_H
#define STRM_IO_FOLLOW_H
#include "io/source.h"

/* NULL and err. A file that is not there yet is waited for. */
struct source *follow_open(const struct url *u, const char *path, struct err *e);
void follow_close(struct source *s);
/* Does a source of file: follow? */
bool follow_is(const struct source *s);

#endif
