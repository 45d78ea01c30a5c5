#ifndef RUNTIME_VERIFY_H
#define RUNTIME_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/dtype.h"
#include "runtime/problem.h"
#include "runtime/runtime.h"

/*
 * Correctness, shared by all runtimes: how outputs are poisoned, what is counted when they are
 * compared with the expected ones, and when that passes. A runtime may count on its device; it must
 * then count what verify_compare counts.
 *
 * A check launches twice, with outputs and scratch poisoned by another pattern each time: in round
 * 0 floating-point outputs are NaN; an integer that was not written shows in one of the rounds at
 * least. Both rounds are compared with the expected output, and with each other bit by bit.
 *
 * Where the runtime can, the first seed's check goes on with up to VERIFY_CROWDED more rounds
 * beside another kernel that gets in the way (cuda_crowd.h), and with one whose inputs are slow to
 * come (cuda_remote.h), since races hide on an idle device.
 *
 * After it was timed, a variant is launched once more the way it was timed, on the inputs of
 * another seed, and the outputs are not poisoned: what does nothing from some launch on, or where
 * the output looks done, shows there. Then launches whose inputs differ from those of the launch
 * before are timed against launches whose inputs repeat: what keeps answers shows there.
 */
enum {
	VERIFY_GUARD_BYTES = 4096, /* of each zone before and behind a buffer, at least */
	VERIFY_GUARD_BYTE = 0xc3,
	VERIFY_ROUNDS = 2,
	VERIFY_CROWDED = 2,
};

/* The byte that every byte of an output is set to before round 0, or any later one. */
uint8_t verify_poison(enum dtype type, int round);

bool verify_all_bytes(const void *bytes, size_t len, uint8_t byte); /* are all of them `byte`? */

/* Counted over one output buffer. Sums leave out elements that are not finite on either side. */
struct figures {
	double max_abs, sum_abs; /* of got - want */
	double sum_sq_diff, sum_sq_ref;
	int64_t count;
	int64_t bad;	   /* |got - want| > atol + rtol * |want|, or not finite */
	int64_t nans;	   /* NaN or infinity in got or want */
	int64_t unwritten; /* bits equal to the poison though want's are not */
	int64_t first_bad; /* smallest index of a bad one; -1: none */
};

void verify_compare(enum dtype type, const void *got, const void *want, int64_t n, uint8_t poison,
		    const struct gates *gates, struct figures *ret);

struct verify_facts {
	bool guards_intact, inputs_intact;
	bool deterministic; /* true also where the task allows other bits */
};

/*
 * Fills the figures and the verdict of *ret from the n output buffers that a reference gives,
 * leaving shape, reference and seed alone. Each buffer is held to the gates by itself and the worst
 * of each figure is kept. NaN, infinity and unwritten elements always fail; where no gate is asked
 * for at all, outputs must be equal.
 */
void verify_judge(const struct figures *figures, int n, const struct gates *gates,
		  const struct verify_facts *facts, struct check *ret);

/* OK, WRONG, or NONDETERMINISTIC where that is all that is wrong. */
enum outcome verify_outcome(const struct check *c);

/*
 * The seed whose inputs follow upon those of `seed` after timing: the first other one of the
 * problem, or one made up where it has none. It is `seed` itself where the shape's inputs are the
 * same for every seed, or the expected outputs come from files, which belong to one seed.
 */
uint64_t verify_other_seed(const struct problem *p, int shape, uint64_t seed);

/* Say in `why` of a failed check how it was made. */
void verify_mark_after_timing(struct check *c);
void verify_mark_crowded(struct check *c);
void verify_mark_remote(struct check *c);

/*
 * Whether launches that take `differ_ns` when their inputs differ from those of the launch before,
 * and `repeat_ns` when they repeat, give away a kernel that keeps answers: it is slower by more
 * than half a launch of p50_ns or of repeat_ns, whichever is shorter, and the tick of the clock.
 */
bool verify_keeps_answers(double differ_ns, double repeat_ns, double p50_ns);

/* A trial's detail where that is so. */
void verify_say_kept(char *detail, size_t size, const char *shape, double differ_ns,
		     double repeat_ns);

#endif
