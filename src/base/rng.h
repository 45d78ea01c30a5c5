#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Seeded random numbers, the same on every machine. xoshiro256** (Blackman and Vigna, "Scrambled
 * linear pseudorandom number generators", ACM TOMS 2021), seeded by SplitMix64 from (seed, stream):
 * the n-th proposal of a run uses stream n, a buffer's fill a hash of its name, so that one
 * consumer's appetite never shifts another's numbers.
 */
struct rng {
	uint64_t s[4];
	double spare; /* the second of a pair of normal ones */
	bool has_spare;
};

void rng_init(struct rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_u64(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n); /* uniform in [0, n), without bias; n >= 1 */
double rng_unit(struct rng *r);		       /* uniform in [0, 1), 53 bits */
double rng_normal(struct rng *r); /* mean 0, deviation 1 (Marsaglia's polar method: in pairs) */
uint64_t rng_stream_of(const char *name); /* FNV-1a 64, to key a stream by a name */

#endif
