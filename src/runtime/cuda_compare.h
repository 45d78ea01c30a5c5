#ifndef RUNTIME_CUDA_COMPARE_H
#define RUNTIME_CUDA_COMPARE_H

#include "runtime/cuda_place.h"
#include "runtime/verify.h"

/*
 * Comparing on the device, by the kernels of src/kernels/verify.cu. Work is queued; its results
 * lie on the device until compare_fetch.
 *
 * A slot holds the figures of one output buffer against one reference in one round. Segments are
 * ranges of bytes that must hold what is said of them.
 */
struct segment { /* as verify.cu has it */
	cuda_ptr at;
	cuda_ptr want; /* 0: every byte is `byte` */
	uint64_t bytes, byte;
};

/* Guards of every buffer, and inputs against the image: at most 3 * n_buffers, written to ret.
 * Returns how many. */
int segments_untouched(const struct session *s, const struct dataset *set,
		       const struct place *places, struct segment *ret);

/* Outputs against the same bytes at base + their offset in the layout: at most n_buffers. */
int segments_outputs(const struct session *s, int shape, cuda_ptr base, const struct place *places,
		     struct segment *ret);

struct findings {	   /* what was fetched; owned by whoever fetched it */
	uint64_t *differs; /* one a segment: 0 or 1 */
	struct partial *partials;
};

/* Makes room for n_segments and n_slots results, and clears them. CUresult. */
int compare_begin(struct session *s, const struct segment *segments, int n_segments, int n_slots);

/* The places of a buffer's elements on both sides; poison is a byte. CUresult. */
struct comparison {
	enum dtype type;
	cuda_ptr got, want;
	int64_t count;
	uint8_t poison;
	const struct gates *gates;
};
int compare_queue(struct session *s, int n_segments, int slot, const struct comparison *c);

/* Checks segments [first, first + n) as they are now. CUresult. */
int compare_same(struct session *s, int first, int n);

/* Waits for the device and brings everything back. CUresult; *ret is to be released. */
int compare_fetch(struct session *s, int n_segments, int n_slots, struct findings *ret);
void findings_release(struct findings *f);

/* Of a slot that compare_queue was given a buffer of `count` elements for. */
void findings_figures(const struct findings *f, int slot, int64_t count, struct figures *ret);

bool findings_differ(const struct findings *f, int first, int n);

#endif
