#include "runtime/cuda_compare.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum { THREADS = 256, BLOCKS_MAX = 128, SAME_BLOCKS = 32 };

struct partial { /* as verify.cu has it */
	double max_abs, sum_abs, sum_sq_diff, sum_sq_ref;
	int64_t bad, nans, unwritten, first_bad;
};

static int blocks_for(int64_t count)
{
	int64_t blocks = (count + THREADS - 1) / THREADS;

	return blocks < BLOCKS_MAX ? (int)blocks : BLOCKS_MAX;
}

static cuda_ptr slot_at(const struct session *s, int n_segments, int slot)
{
	return s->results.at + (cuda_ptr)n_segments * sizeof(uint64_t) +
	       (cuda_ptr)slot * BLOCKS_MAX * sizeof(struct partial);
}

int segments_untouched(const struct session *s, const struct dataset *set,
		       const struct place *places, struct segment *ret)
{
	int n = 0;

	for (int b = 0; b < s->p->n_buffers; b++) {
		const struct place *place = &places[b];

		ret[n++] = (struct segment){ place->at - VERIFY_GUARD_BYTES, 0, VERIFY_GUARD_BYTES,
					     VERIFY_GUARD_BYTE };
		ret[n++] = (struct segment){ place->at + (cuda_ptr)place->bytes, 0,
					     VERIFY_GUARD_BYTES, VERIFY_GUARD_BYTE };
	}
	for (int b = 0; b < s->p->n_buffers; b++)
		if (s->p->buffers[b].role == BUFFER_IN)
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

int compare_begin(struct session *s, const struct segment *segments, int n_segments, int n_slots)
{
	size_t table = (size_t)n_segments * sizeof *segments;
	size_t counters = (size_t)n_segments * sizeof(uint64_t);
	int64_t bytes = (int64_t)(counters + (size_t)n_slots * BLOCKS_MAX * sizeof(struct partial));
	int result = room_reserve(s, &s->segments, (int64_t)table);

	if (result == CUDA_OK)
		result = room_reserve(s, &s->results, bytes);
	if (result == CUDA_OK && table)
		result = s->cu.upload(s->segments.at, segments, table, s->stream);
	if (result == CUDA_OK && counters)
		result = s->cu.set8(s->results.at, 0, counters, s->stream);
	return result;
}

int compare_queue(struct session *s, int n_segments, int slot, const struct comparison *c)
{
	int type = (int)c->type, width = (int)dtype_bytes(c->type);
	uint64_t got = c->got, want = c->want, ret = slot_at(s, n_segments, slot);
	uint64_t poison = c->poison * UINT64_C(0x0101010101010101);
	double atol = fmax(c->gates->atol, 0), rtol = fmax(c->gates->rtol, 0);
	int64_t count = c->count;
	void *arguments[] = { &type, &width, &got, &want, &count, &poison, &atol, &rtol, &ret };

	if (count == 0)
		return CUDA_OK;
	return s->cu.launch(s->compare, (unsigned)blocks_for(count), 1, 1, THREADS, 1, 1, 0,
			    s->stream, arguments, NULL);
}

int compare_same(struct session *s, int first, int n)
{
	uint64_t segments = s->segments.at + (cuda_ptr)first * sizeof(struct segment);
	uint64_t differs = s->results.at + (cuda_ptr)first * sizeof(uint64_t);
	void *arguments[] = { &segments, &differs };

	if (n == 0)
		return CUDA_OK;
	return s->cu.launch(s->same, SAME_BLOCKS, (unsigned)n, 1, THREADS, 1, 1, 0, s->stream,
			    arguments, NULL);
}

int compare_fetch(struct session *s, int n_segments, int n_slots, struct findings *ret)
{
	size_t counters = (size_t)n_segments * sizeof(uint64_t);
	size_t bytes = (size_t)n_slots * BLOCKS_MAX * sizeof(struct partial);
	int result = s->cu.stream_sync(s->stream);

	ret->differs = mem_array((size_t)n_segments + 1, sizeof(uint64_t));
	ret->partials = mem_alloc(bytes + 1);
	if (result == CUDA_OK && counters)
		result = s->cu.download(ret->differs, s->results.at, counters);
	if (result == CUDA_OK && bytes)
		result = s->cu.download(ret->partials, s->results.at + counters, bytes);
	return result;
}

void findings_release(struct findings *f)
{
	free(f->differs);
	free(f->partials);
}

void findings_figures(const struct findings *f, int slot, int64_t count, struct figures *ret)
{
	const struct partial *p = f->partials + (size_t)slot * BLOCKS_MAX;
	struct figures sum = { .count = count, .first_bad = -1 };

	for (int i = 0; i < blocks_for(count); i++, p++) {
		sum.max_abs = fmax(sum.max_abs, p->max_abs);
		sum.sum_abs += p->sum_abs;
		sum.sum_sq_diff += p->sum_sq_diff;
		sum.sum_sq_ref += p->sum_sq_ref;
		sum.bad += p->bad;
		sum.nans += p->nans;
		sum.unwritten += p->unwritten;
		if (p->first_bad >= 0 && (sum.first_bad < 0 || p->first_bad < sum.first_bad))
			sum.first_bad = p->first_bad;
	}
	*ret = sum;
}

bool findings_differ(const struct findings *f, int first, int n)
{
	for (int i = first; i < first + n; i++)
		if (f->differs[i])
			return true;
	return false;
}
