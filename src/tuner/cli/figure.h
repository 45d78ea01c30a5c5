#ifndef CLI_FIGURE_H
#define CLI_FIGURE_H

#include <stdint.h>

/*
 * Numbers as people read them: four figures, a unit that fits. All write at most FIGURE_MAX bytes
 * and return ret, so that they can stand in an argument list. What is unknown (0 or less for times,
 * below 0 for bytes and counts) is "-".
 */
enum { FIGURE_MAX = 32 };

const char *figure_time(double ns, char ret[FIGURE_MAX]);      /* "5.984 us", "1.230 ms" */
const char *figure_us(double ns, char ret[FIGURE_MAX]);	       /* "5.984": in microseconds */
const char *figure_ratio(double ratio, char ret[FIGURE_MAX]);  /* "2.41x" */
const char *figure_bytes(int64_t bytes, char ret[FIGURE_MAX]); /* "512 B", "64.0 KiB" */
const char *figure_count(int64_t n, char ret[FIGURE_MAX]);     /* "12" */
const char *figure_large(double n, char ret[FIGURE_MAX]);      /* "10,368,000", "1.04e+12" */
const char *figure_rate(double per_s, const char *unit,
			char ret[FIGURE_MAX]);		      /* "4.213 TB/s", "87.40 Gop/s" */
const char *figure_share(double share, char ret[FIGURE_MAX]); /* "87 %", "0.4 %" */
const char *figure_seconds(double s, char ret[FIGURE_MAX]);   /* "4.2 s", "3 m 05 s", "2 h 10 m" */

#endif
