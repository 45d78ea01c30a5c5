#ifndef RUNTIME_CUDA_COMPARE_H
#define RUNTIME_CUDA_COMPARE_H

#include "runtime/cuda_place.h"
#include "runtime/verify.h"

/*
 * Comparing on the device, by the kernels of src/kernels/verify.cu. All that will be compared is
 * listed first and sent in one piece; then the steps are queued between launches, and nothing comes
 * back before compare_fetch, which waits.
 *
 * Segments are ranges of bytes that must hold what is said of them; looking at one sets a flag
 * where it does not. A comparison gives the figures of one output buffer against one reference.
 */
struct segment { /* as verify.cu has it */
	cuda_ptr at;
	cuda_ptr want; /* 0: every byte is `byte` */
	uint64_t bytes, byte;
};

struct comparison { /* likewise */
	cuda_ptr got, want;
	int64_t count;
	uint64_t poison; /* the byte, eight times */
	double atol, rtol;
	int32_t type, width;
	int32_t blocks; /* set by worklist_compare */
	int32_t like;	/* while none of the flags is set, it need not be done: that one, done
			 * before, gives the same figures. -1: none */
	int32_t flag, n_flags; /* of steps before it */
};

struct worklist {
	struct segment *segments;
	struct comparison *comparisons;
	int n_segments, n_comparisons, n_flags;
};

/* These return the index of the first that was added. */
int worklist_look(struct worklist *w, const struct segment *segments, int n);
int worklist_flags(struct worklist *w, int n);
int worklist_compare(struct worklist *w, const struct comparison *c);
void worklist_release(struct worklist *w);

/* Guards of every buffer in the scope, and inputs against the image: at most 3 * n_buffers, written
 * to ret. Returns how many. */
int segments_untouched(const struct session *s, const struct dataset *set,
		       const struct place *places, enum scope scope, struct segment *ret);

/* Outputs against the same bytes at base + their offset in the layout: at most n_buffers. */
int segments_outputs(const struct session *s, int shape, cuda_ptr base, const struct place *places,
		     struct segment *ret);

/* Of an output buffer in a place against the same one of a reference. */
struct comparison comparison_of(const struct session *s, const struct dataset *set,
				const struct place *place, int buffer, int reference);

/* Sends the list, and clears the flags. CUresult. */
int compare_begin(struct session *s, const struct worklist *w);

/* Queue: look at segments [first, first + n) as they are now, with flags from `flag` on; do
 * comparisons [first, first + n). CUresult. */
int compare_look(struct session *s, int first, int n, int flag);
int compare_outputs(struct session *s, const struct worklist *w, int first, int n);

struct findings {		/* what was fetched; owned by whoever fetched it */
	uint64_t *flags;	/* 0 or 1 */
	struct partial *folded; /* one a comparison; of those that were queued */
};

/* Waits for the device and brings everything back. CUresult; *ret is to be released. */
int compare_fetch(struct session *s, const struct worklist *w, struct findings *ret);
void findings_release(struct findings *f);

/* Of a comparison of `count` elements. */
struct figures findings_figures(const struct findings *f, int comparison, int64_t count);
bool findings_differ(const struct findings *f, int first, int n); /* any of these flags */

#endif
