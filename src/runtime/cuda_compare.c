#include "runtime/cuda_compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { THREADS = 256, BLOCKS_MAX = 512, SAME_BLOCKS = 64 };

struct partial { /* as verify.cu has it */
	double max_abs, sum_abs, sum_sq_diff, sum_sq_ref;
	int64_t bad, nans, unwritten, first_bad;
};

int worklist_look(struct worklist *w, const struct segment *segments, int n)
{
	int first = w->n_segments;

	w->segments = mem_grow(w->segments, (size_t)(first + n) + 1, sizeof *segments);
	memcpy(w->segments + first, segments, (size_t)n * sizeof *segments);
	w->n_segments += n;
	return first;
}

int worklist_flags(struct worklist *w, int n)
{
	int first = w->n_flags;

	w->n_flags += n;
	return first;
}

int worklist_compare(struct worklist *w, const struct comparison *c)
{
	int64_t blocks = (c->count + THREADS - 1) / THREADS;
	int at = w->n_comparisons++;

	w->comparisons = mem_grow(w->comparisons, (size_t)at + 1, sizeof *c);
	w->comparisons[at] = *c;
	w->comparisons[at].blocks = blocks < BLOCKS_MAX ? (int32_t)blocks : BLOCKS_MAX;
	return at;
}

void worklist_release(struct worklist *w)
{
	free(w->segments);
	free(w->comparisons);
	*w = (struct worklist){ 0 };
}

int segments_untouched(const struct session *s, const struct dataset *set,
		       const struct place *places, enum scope scope, struct segment *ret)
{
	int n = 0;

	for (int b = 0; b < s->p->n_buffers; b++) {
		const struct place *place = &places[b];

		if (!buffer_in_scope(s->p, b, scope))
			continue;
		ret[n++] = (struct segment){ place->at - VERIFY_GUARD_BYTES, 0, VERIFY_GUARD_BYTES,
					     VERIFY_GUARD_BYTE };
		ret[n++] = (struct segment){ place->at + (cuda_ptr)place->bytes, 0,
					     VERIFY_GUARD_BYTES, VERIFY_GUARD_BYTE };
	}
	for (int b = 0; b < s->p->n_buffers; b++)
		if (s->p->buffers[b].role == BUFFER_IN && buffer_in_scope(s->p, b, scope))
			ret[n++] = (struct segment){
				places[b].at,
				set->image + (cuda_ptr)s->layouts[set->shape].offsets[b],
				(uint64_t)places[b].bytes, 0
			};
	return n;
}

int segments_outputs(const struct session *s, int shape, cuda_ptr base, const struct place *places,
		     struct segment *ret)
{
	int n = 0;

	for (int b = 0; b < s->p->n_buffers; b++)
		if (buffer_is_output(&s->p->buffers[b]))
			ret[n++] = (struct segment){ places[b].at,
						     base + (cuda_ptr)s->layouts[shape].offsets[b],
						     (uint64_t)places[b].bytes, 0 };
	return n;
}

struct comparison comparison_of(const struct session *s, const struct dataset *set,
				const struct place *place, int buffer, int reference)
{
	enum dtype type = s->p->buffers[buffer].type;
	const struct gates *gates = &s->p->references[reference].gates;

	return (struct comparison){
		.got = place->at,
		.want = set->expected[reference] + (cuda_ptr)s->layouts[set->shape].offsets[buffer],
		.count = place->count,
		.atol = fmax(gates->atol, 0),
		.rtol = fmax(gates->rtol, 0),
		.type = (int32_t)type,
		.width = (int32_t)dtype_bytes(type),
		.like = -1,
	};
}

/* What is sent: segments, then comparisons. */
static cuda_ptr comparisons_at(const struct session *s, const struct worklist *w)
{
	return s->work.at + (cuda_ptr)w->n_segments * sizeof(struct segment);
}

/* What is found: flags, figures, and the partial figures of blocks. */
static cuda_ptr folded_at(const struct session *s, const struct worklist *w)
{
	return s->results.at + (cuda_ptr)w->n_flags * sizeof(uint64_t);
}

static cuda_ptr partials_at(const struct session *s, const struct worklist *w)
{
	return folded_at(s, w) + (cuda_ptr)w->n_comparisons * sizeof(struct partial);
}

static int send(struct session *s, const struct worklist *w)
{
	size_t segments = (size_t)w->n_segments * sizeof *w->segments;
	size_t comparisons = (size_t)w->n_comparisons * sizeof *w->comparisons;
	char *both = mem_alloc(segments + comparisons + 1);
	int result = room_reserve(s, &s->work, (int64_t)(segments + comparisons));

	if (segments)
		memcpy(both, w->segments, segments);
	if (comparisons)
		memcpy(both + segments, w->comparisons, comparisons);
	if (result == CUDA_OK && segments + comparisons)
		result = s->cu.upload(s->work.at, both, segments + comparisons, s->stream);
	free(both);
	return result;
}

int compare_begin(struct session *s, const struct worklist *w)
{
	int64_t flags = w->n_flags * (int64_t)sizeof(uint64_t);
	int64_t figures = (int64_t)sizeof(struct partial) * (BLOCKS_MAX + 1) * w->n_comparisons;
	int result = room_reserve(s, &s->results, flags + figures);

	if (result == CUDA_OK)
		result = send(s, w);
	if (result == CUDA_OK && flags)
		result = s->cu.set8(s->results.at, 0, (size_t)flags, s->stream);
	return result;
}

int compare_look(struct session *s, int first, int n, int flag)
{
	uint64_t segments = s->work.at + (cuda_ptr)first * sizeof(struct segment);
	uint64_t flags = s->results.at + (cuda_ptr)flag * sizeof(uint64_t);
	void *arguments[] = { &segments, &flags };

	if (n == 0)
		return CUDA_OK;
	return s->cu.launch(s->same, SAME_BLOCKS, (unsigned)n, 1, THREADS, 1, 1, 0, s->stream,
			    arguments, NULL);
}

int compare_outputs(struct session *s, const struct worklist *w, int first, int n)
{
	uint64_t all = comparisons_at(s, w), flags = s->results.at, partials = partials_at(s, w);
	int blocks_max = BLOCKS_MAX, blocks = 0;
	void *arguments[] = { &all, &flags, &partials, &first, &blocks_max };

	for (int i = first; i < first + n; i++)
		if (w->comparisons[i].blocks > blocks)
			blocks = w->comparisons[i].blocks;
	if (blocks == 0)
		return CUDA_OK;
	return s->cu.launch(s->compare, (unsigned)blocks, (unsigned)n, 1, THREADS, 1, 1, 0,
			    s->stream, arguments, NULL);
}

static int fold(struct session *s, const struct worklist *w)
{
	uint64_t all = comparisons_at(s, w), flags = s->results.at;
	uint64_t partials = partials_at(s, w), ret = folded_at(s, w);
	int blocks_max = BLOCKS_MAX;
	void *arguments[] = { &all, &flags, &partials, &blocks_max, &ret };

	if (w->n_comparisons == 0)
		return CUDA_OK;
	return s->cu.launch(s->fold, (unsigned)w->n_comparisons, 1, 1, THREADS, 1, 1, 0, s->stream,
			    arguments, NULL);
}

int compare_fetch(struct session *s, const struct worklist *w, struct findings *ret)
{
	size_t flags = (size_t)w->n_flags * sizeof(uint64_t);
	size_t folded = (size_t)w->n_comparisons * sizeof(struct partial);
	char *both = mem_alloc(flags + folded + 1);
	int result = fold(s, w);

	if (result == CUDA_OK)
		result = s->cu.stream_sync(s->stream);
	if (result == CUDA_OK && flags + folded)
		result = s->cu.download(both, s->results.at, flags + folded);
	ret->flags = mem_array((size_t)w->n_flags + 1, sizeof(uint64_t));
	ret->folded = mem_array((size_t)w->n_comparisons + 1, sizeof(struct partial));
	memcpy(ret->flags, both, flags);
	memcpy(ret->folded, both + flags, folded);
	free(both);
	return result;
}

void findings_release(struct findings *f)
{
	free(f->flags);
	free(f->folded);
}

struct figures findings_figures(const struct findings *f, int comparison, int64_t count)
{
	const struct partial *p = &f->folded[comparison];

	return (struct figures){
		.max_abs = p->max_abs,
		.sum_abs = p->sum_abs,
		.sum_sq_diff = p->sum_sq_diff,
		.sum_sq_ref = p->sum_sq_ref,
		.count = count,
		.bad = p->bad,
		.nans = p->nans,
		.unwritten = p->unwritten,
		.first_bad = p->first_bad,
	};
}

bool findings_differ(const struct findings *f, int first, int n)
{
	for (int i = first; i < first + n; i++)
		if (f->flags[i])
			return true;
	return false;
}
