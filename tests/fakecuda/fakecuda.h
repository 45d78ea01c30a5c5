#ifndef FAKECUDA_H
#define FAKECUDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A stand-in for libcuda.so.1 with the functions that the cuda runtime uses, for tests without a
 * GPU. Device memory is host memory, streams run at once, and time is made up: each launch takes
 * as long as the kernel's bytes and its geometry say, so that equal binaries take equally long and
 * a search has something to find. It really runs the few kernels it knows by name
 * (fake_kernels.c); others do nothing.
 *
 *   FAKECUDA_DEVICES  how many there are (1)
 *   FAKECUDA_NAME     what they are called
 *   FAKECUDA_UUID     the first byte of their UUIDs, a number (250)
 *   FAKECUDA_FAIL     "SYMBOL:N:WHAT;...": the N-th call of SYMBOL in this process answers the
 *                     CUresult WHAT, or sleeps ("hang"), or ends the process by SIGKILL ("die")
 *   FAKECUDA_TOLD     a file that gets the line "SYMBOL N PID" before each of these, and
 *                     "device ORDINAL PID" when a process opens one
 */
enum { FAKE_PARAMETERS_MAX = 16 };

#define FAKE_EXPORT __attribute__((visibility("default")))

/* For tests that have it in their own process: forgets all calls and any fault; how many calls of
 * a symbol there were. */
FAKE_EXPORT void fakecuda_reset(void);
FAKE_EXPORT long fakecuda_calls(const char *symbol);

void fake_plan_reset(void);

/* What becomes of a call, by FAKECUDA_FAIL: 0, or the code that it is to return. */
int fake_plan(const char *symbol);

/* A line for FAKECUDA_TOLD. Tests wait for it: no guess tells when a worker has come to a call. */
void fake_tell(const char *what, long number);

struct fake_launch {
	const char *cubin; /* borrowed */
	size_t bytes;
	unsigned blocks_x, blocks_y, threads;
	uint64_t values[FAKE_PARAMETERS_MAX]; /* of the arguments; the low bytes count */
};

/* One kernel that the stand-in can run. */
struct fake_kernel {
	const char *name;
	const char *widths; /* bytes of each parameter, a digit each */
	void (*run)(const struct fake_launch *l);
	int bytes,
		count; /* moved an element, and which parameter counts those: they cost time too */
};
const struct fake_kernel *fake_kernel_find(const char *name); /* NULL: it does nothing */

/* Is this in the host's memory? */
bool fake_is_remote(const void *p);

/* What a selftest variant is to do wrong, from the symbol in its binary. */
bool fake_has_mark(const struct fake_launch *l, const char *mark);

/* What a selftest variant that keeps answers needs more where it has none for these inputs. */
double fake_work_ns(const struct fake_launch *l);

#endif
