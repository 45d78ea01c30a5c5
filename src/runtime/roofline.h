#ifndef RUNTIME_ROOFLINE_H
#define RUNTIME_ROOFLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/device.h"

/*
 * The roofline model (Williams, Waterman, Patterson, "Roofline: an insightful visual performance
 * model for multicore architectures", CACM 52(4), 2009): a launch that moves some bytes and does
 * some operations takes at least as long as the slower of the two would by itself. Pure: what a
 * launch has to do comes from the task's "work", what a device can do from two kinds of ceilings:
 *
 * - measured ones (runtime.ceilings), which a good kernel comes near to: shares are told of them;
 * - limits, which follow from the device's clocks and units and which nothing can pass: a time
 *   below what they allow is not that of the work. See roofline_limits.
 *
 * Figures are per second; 0 is unknown, and bounds nothing.
 */
#define WORK_UNIT_MAP(X)                                                            \
	X(F64, "f64", "multiplications and additions in f64, off the tensor cores") \
	X(F32, "f32", "multiplications and additions in f32, off the tensor cores") \
	X(F64_TENSOR, "f64_tensor", "tensor cores, f64")                            \
	X(TF32_TENSOR, "tf32_tensor", "tensor cores, tf32")                         \
	X(F16_TENSOR, "f16_tensor", "tensor cores, f16")                            \
	X(BF16_TENSOR, "bf16_tensor", "tensor cores, bf16")                         \
	X(S8_TENSOR, "s8_tensor", "tensor cores, 8-bit integers")                   \
	X(E4M3_TENSOR, "e4m3_tensor", "tensor cores, 8-bit floats")

enum work_unit {
#define X(id, name, help) UNIT_##id,
	WORK_UNIT_MAP(X)
#undef X
		WORK_UNIT_COUNT
};
const char *work_unit_name(enum work_unit u);
int work_unit_parse(const char *name, enum work_unit *ret); /* 0, or -1: no such unit */

/* What one launch has to do at the least. A fused multiply-add is two operations. */
struct work {
	double bytes; /* to and from memory, read and written */
	double operations[WORK_UNIT_COUNT];
	double footprint; /* bytes of the buffers that it touches */
	bool cold;	  /* caches are flushed before each launch */
};

struct ceilings {
	double dram_bytes_per_s;  /* read and written, of a copy far larger than the cache */
	double cache_bytes_per_s; /* of data that stays in the last-level cache */
	double operations_per_s[WORK_UNIT_COUNT];
	double cache_bytes; /* how much stays there */
};

/*
 * What a device cannot pass. On a GPU: multiprocessors x highest clock x operations a clock of the
 * compute capability (roofline.c has them with their sources); memory clock x bus width x 2 for
 * DRAM (CUDA C++ Best Practices Guide, "Theoretical Bandwidth Calculation"); for the cache 128
 * bytes a clock and multiprocessor, read and written: 32 banks of 32 bits (the same, "Shared Memory
 * and Memory Banks"), through which all loads and stores go. L2 itself gives less (A100: 5120 bytes
 * read a clock, 47 a multiprocessor, by its white paper). An
 * architecture that is not known is held to be as fast as the fastest one that is. On a CPU, whose
 * clock and caches a virtual machine may hide: one core with two 512-bit FMA units, two loads and a
 * store a cycle, at twice the clock that the system names; DRAM is not bounded.
 */
void roofline_limits(const struct device *d, struct ceilings *ret);

/* The limits in place of what was not measured. */
void roofline_complete(struct ceilings *measured, const struct ceilings *limits);

/* Each figure the larger of both. */
void roofline_join(struct ceilings *to, const struct ceilings *other);

enum roofline_bound { BOUND_UNKNOWN, BOUND_DRAM, BOUND_CACHE, BOUND_COMPUTE };
const char *roofline_bound_name(enum roofline_bound b); /* "unknown", "dram", "cache", "compute" */

/*
 * The shortest time that the ceilings leave for one launch; 0: they say nothing. Units on the
 * tensor cores share them, so that their times add up; f32, f64 and memory work beside them.
 * Where all of the footprint stays in a warm cache, its bandwidth counts in place of DRAM's.
 */
double roofline_ns(const struct work *w, const struct ceilings *c, enum roofline_bound *ret_bound);

/*
 * The time below which a measurement is not believed, from limits; 0: none. As roofline_ns, but
 * whatever fits into the cache may have stayed there, so that only the rest must come from DRAM;
 * less ROOFLINE_MARGIN, ten times what graph timing wanders by (see ARCHITECTURE.md), and the share
 * by which a boosted clock may pass the one the driver names.
 */
#define ROOFLINE_MARGIN 0.05
double roofline_floor_ns(const struct work *w, const struct ceilings *limits);

/* Where a time stands. Shares are of the ceilings; 0: unknown. */
struct roofline {
	double bytes_per_s, operations_per_s; /* achieved; operations of all units together */
	double memory_share; /* of the bandwidth that counts, DRAM's or the cache's */
	double compute_share;
	double best_ns; /* roofline_ns */
	enum roofline_bound bound;
};
void roofline_of(const struct work *w, const struct ceilings *c, double ns, struct roofline *ret);

#endif
