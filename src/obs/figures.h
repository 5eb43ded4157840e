/* Figures for people: short, with a unit. */
#ifndef STRM_OBS_FIGURES_H
#define STRM_OBS_FIGURES_H
#include <stdint.h>

#include "base/buf.h"

/* 7, 1234, 12.3k, 4.56M, 7.89G: three digits from 10,000 on. */
void put_count(struct buf *b, double n);
/* 12 B, 3.4 kB, 56.7 MB (thousands). */
void put_bytes(struct buf *b, double n);
/* 0:05, 12:34, 1:02:03; whole seconds. */
void put_clock(struct buf *b, int64_t ns);
/* A duration in its two largest units or as milliseconds: 350ms, 1.2s, 3m5s. */
void put_span(struct buf *b, int64_t ns);

#endif
