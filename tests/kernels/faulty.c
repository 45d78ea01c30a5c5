/*
 * out[i] = 2 * in[i], or one of the ways to go wrong that MODE names. VARIANT makes binaries
 * differ.
 */
#include <stdlib.h>
#include <unistd.h>

#ifndef MODE
#define MODE fine
#endif
#ifndef VARIANT
#define VARIANT 0
#endif

#define fine	  0
#define wrong	  1
#define crash	  2
#define stop	  3
#define hang	  4
#define leave	  5
#define unwritten 6

#if MODE == 7
#error "this variant does not compile"
#endif

void scale(const float *in, float *out, int n)
{
	static volatile int variant = VARIANT;

	if (MODE == crash)
		*(volatile int *)8 = 1;
	if (MODE == stop)
		abort();
	if (MODE == leave)
		_exit(3);
	while (MODE == hang)
		usleep(1000);
	for (int i = 0; i < n; i++)
		if (MODE != unwritten || i != n / 2)
			out[i] = 2 * in[i] + (MODE == wrong && i == variant);
}

void scale_reference(const float *in, float *out, int n)
{
	for (int i = 0; i < n; i++)
		out[i] = in[i] + in[i];
}
