#include "runtime/cuda_data.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "runtime/cuda_compare.h"
#include "runtime/cuda_place.h"
#include "runtime/fill.h"
#include "runtime/npy.h"

enum { CUBIN_BYTES_MAX = 1 << 30 };

static int load_cubin(struct session *s, const struct problem_reference *r,
		      struct reference_code *code, struct err *e)
{
	char *bytes;
	int result;

	if (file_read(r->artifact, CUBIN_BYTES_MAX, &bytes, NULL, e) < 0)
		return (int)e->code;
	result = s->cu.module_load(&code->module, bytes);
	free(bytes);
	if (result == CUDA_OK)
		result = s->cu.module_function(&code->function, code->module, r->entry);
	return cuda_check(&s->cu, result, e, "loading its binary");
}

int references_load(struct session *s, struct err *e)
{
	const struct problem *p = s->p;

	s->references = mem_array((size_t)p->n_references + 1, sizeof *s->references);
	for (int i = 0; i < p->n_references; i++) {
		const struct problem_reference *r = &p->references[i];
		int result = 0;

		if (r->files)
			continue;
		if (r->language == LANGUAGE_C)
			result = host_call_load(r->artifact, &s->references[i].host, e);
		else
			result = load_cubin(s, r, &s->references[i], e);
		if (result < 0)
			return err_wrap(e, "reference %s", r->name);
	}
	return 0;
}

void references_unload(struct session *s)
{
	for (int i = 0; s->references && i < s->p->n_references; i++) {
		if (s->references[i].module)
			s->cu.module_unload(s->references[i].module);
		host_call_close(s->references[i].host);
	}
	free(s->references);
	s->references = NULL;
}

/* A data set as it lies in host memory; there is one at a time. */
struct draft {
	struct session *s;
	struct dataset *set;
	char *image;
	void **buffers; /* into the image; scratch: NULL */
};

static void draft_init(struct draft *d, struct session *s, struct dataset *set)
{
	const struct layout *l = &s->layouts[set->shape];

	if (!s->draft || l->total >= s->draft_bytes) {
		s->draft_bytes = l->total + 1;
		s->draft = mem_grow(s->draft, (size_t)s->draft_bytes, 1);
	}
	*d = (struct draft){ .s = s, .set = set, .image = s->draft };
	d->buffers = mem_array((size_t)s->p->n_buffers + 1, sizeof *d->buffers);
	for (int b = 0; b < s->p->n_buffers; b++)
		if (s->p->buffers[b].role != BUFFER_SCRATCH)
			d->buffers[b] = d->image + l->offsets[b];
}

static void draft_release(struct draft *d)
{
	free(d->buffers);
}

static int draft_fill(struct draft *d, struct err *e)
{
	const struct problem *p = d->s->p;
	const struct layout *l = &d->s->layouts[d->set->shape];
	int r = 0;

	for (int b = 0; b < p->n_buffers && r == 0; b++) {
		if (!d->buffers[b])
			continue;
		memset(d->image + layout_guard(l, b), VERIFY_GUARD_BYTE,
		       (size_t)(l->offsets[b] - layout_guard(l, b)));
		memset(d->image + l->offsets[b] + l->bytes[b], VERIFY_GUARD_BYTE,
		       VERIFY_GUARD_BYTES);
		if (p->shapes[d->set->shape].buffers[b].fill.kind == FILL_NONE)
			memset(d->buffers[b], verify_poison(p->buffers[b].type, 0),
			       (size_t)l->bytes[b]);
		else
			r = fill_buffer(p, d->set->shape, b, d->set->seed, d->buffers,
					d->buffers[b], e);
	}
	return r;
}

static int allocate(struct session *s, cuda_ptr *ret, int64_t bytes, struct err *e)
{
	size_t left = 0, total = 0;
	int result = s->cu.alloc(ret, (size_t)bytes);

	if (result != CUDA_OUT_OF_MEMORY)
		return cuda_check(&s->cu, result, e, "allocating device memory");
	s->cu.memory_info(&left, &total);
	return err_set(e, ERR_FULL,
		       "%lld bytes of device memory are needed, %zu of %zu are free; use smaller "
		       "shapes or fewer seeds",
		       (long long)bytes, left, total);
}

static int upload_now(struct session *s, cuda_ptr to, const void *from, int64_t bytes,
		      struct err *e)
{
	int result = bytes ? s->cu.upload(to, from, (size_t)bytes, s->stream) : CUDA_OK;

	if (result == CUDA_OK)
		result = s->cu.stream_sync(s->stream);
	return cuda_check(&s->cu, result, e, "uploading data");
}

/* C scratch lives only as long as the call. */
static int call_host(struct draft *d, int reference, struct err *e)
{
	struct session *s = d->s;
	const struct problem_reference *r = &s->p->references[reference];
	const struct launch *l = &s->p->shapes[d->set->shape].references[reference];
	const struct layout *layout = &s->layouts[d->set->shape];
	size_t n = (size_t)r->n_arguments;
	uint64_t *values = mem_array(n + 1, sizeof *values);
	void **arguments = mem_array(n + 1, sizeof *arguments);
	void **scratch = mem_array((size_t)s->p->n_buffers + 1, sizeof *scratch);
	int result;

	for (int b = 0; b < s->p->n_buffers && b < l->n_scratch; b++)
		if (s->p->buffers[b].role == BUFFER_SCRATCH)
			scratch[b] = mem_array((size_t)l->scratch[b] + 1,
					       dtype_bytes(s->p->buffers[b].type));
	for (size_t i = 0; i < n; i++) {
		int b = r->arguments[i].buffer;

		arguments[i] = &values[i];
		if (b < 0) {
			dtype_set(r->arguments[i].type, &values[i], 0, l->scalars[i]);
		} else {
			void *at = d->buffers[b] ? d->buffers[b] : scratch[b];

			memcpy(&values[i], &at, sizeof at);
		}
	}
	host_call_run(s->references[reference].host, arguments);
	result = upload_now(s, d->set->expected[reference], d->image, layout->passed, e);
	for (int b = 0; b < s->p->n_buffers; b++)
		free(scratch[b]);
	free(scratch);
	free(arguments);
	free(values);
	return result;
}

static int run_host(struct session *s, struct dataset *set, int reference, struct err *e)
{
	struct draft d;
	int r;

	draft_init(&d, s, set);
	r = cuda_check(&s->cu,
		       s->cu.download(d.image, set->image, (size_t)s->layouts[set->shape].total), e,
		       "downloading data");
	if (r == 0)
		r = call_host(&d, reference, e);
	draft_release(&d);
	return r;
}

static int read_files(struct session *s, struct dataset *set, int reference, struct err *e)
{
	const struct problem *p = s->p;
	struct draft d;
	int r = 0;

	draft_init(&d, s, set);
	for (int b = 0; b < p->n_buffers && r == 0; b++) {
		const char *path = p->references[reference].files[b];

		if (path && buffer_is_output(&p->buffers[b]))
			r = npy_load(path, p->buffers[b].type,
				     p->shapes[set->shape].buffers[b].count, d.buffers[b], e);
	}
	if (r == 0)
		r = upload_now(s, set->expected[reference], d.image, s->layouts[set->shape].passed,
			       e);
	draft_release(&d);
	return r;
}

/* Two rounds for the first seed of a shape, as a variant gets them: what the reference does not
 * write, or does not write the same way twice, shows as a difference between them. References are
 * slow, and tell that once. */
static int rounds_for(const struct session *s, const struct dataset *set)
{
	for (int i = 0; i < s->n_sets; i++)
		if (s->sets[i].shape == set->shape)
			return &s->sets[i] == set ? VERIFY_ROUNDS : 1;
	return VERIFY_ROUNDS;
}

/* CUresult. */
static int queue_rounds(struct session *s, const struct dataset *set, const struct cuda_call *call,
			const struct place *places, cuda_ptr expected)
{
	int rounds = rounds_for(s, set), result = CUDA_OK;

	for (int round = 0; round < rounds && result == CUDA_OK; round++) {
		result = cuda_restore(s, set, places, SCOPE_REFERENCE, round);
		if (result == CUDA_OK)
			result = cuda_call_go(s, call);
		if (result == CUDA_OK && round == 0)
			result = cuda_keep_outputs(s, set->shape, places, expected);
	}
	return result;
}

static int judge_rounds(struct session *s, const struct dataset *set, const struct place *places,
			cuda_ptr expected, struct err *e)
{
	struct segment *segments = mem_array((size_t)s->p->n_buffers * 4 + 1, sizeof *segments);
	int fixed = segments_untouched(s, set, places, SCOPE_REFERENCE, segments);
	int n = fixed + segments_outputs(s, set->shape, expected, places, segments + fixed);
	struct worklist work = { .segments = segments, .n_segments = n, .n_flags = n };
	struct findings found = { 0 };
	int result = compare_begin(s, &work), r;

	if (result == CUDA_OK)
		result = compare_look(s, 0, n, 0);
	if (result == CUDA_OK)
		result = compare_fetch(s, &work, &found);
	r = cuda_check(&s->cu, result, e, "running it");
	if (r == 0 && findings_differ(&found, 0, fixed))
		r = err_set(e, ERR_FAILED, "it writes to an input or outside a buffer");
	if (r == 0 && !s->p->nondeterministic && findings_differ(&found, fixed, n - fixed))
		r = err_set(e, ERR_FAILED,
			    "two launches give different outputs: it leaves elements unwritten, or "
			    "its result depends on timing");
	findings_release(&found);
	worklist_release(&work);
	return r;
}

static int run_device(struct session *s, const struct dataset *set, int reference, struct err *e)
{
	const struct problem_reference *r = &s->p->references[reference];
	const struct launch *l = &s->p->shapes[set->shape].references[reference];
	struct place *places = mem_array((size_t)s->p->n_buffers + 1, sizeof *places);
	cuda_ptr expected = set->expected[reference];
	struct cuda_call call;
	int result = cuda_place(s, set->shape, l, places), status;

	if (result == CUDA_OK)
		result = cuda_allow_shared(s, s->references[reference].function, l->shared_bytes);
	if (result == CUDA_OK) {
		cuda_call_init(&call, s->references[reference].function, r->arguments,
			       r->n_arguments, l, places);
		result = queue_rounds(s, set, &call, places, expected);
		cuda_call_release(&call);
	}
	status = cuda_check(&s->cu, result, e, "launching it");
	if (status == 0)
		status = judge_rounds(s, set, places, expected, e);
	free(places);
	return status;
}

static void list_itself(const struct session *s, const struct dataset *set, int reference,
			int buffer, struct worklist *w)
{
	const struct place none = {
		.count = s->p->shapes[set->shape].buffers[buffer].count,
	};
	struct comparison c = comparison_of(s, set, &none, buffer, reference);

	c.got = c.want;
	worklist_compare(w, &c);
}

/* An expected output that is not finite would fail every variant. */
static int refuse_nans(struct session *s, const struct dataset *set, int reference, struct err *e)
{
	const struct problem *p = s->p;
	struct worklist work = { 0 };
	struct findings found = { 0 };
	int result, r, at = 0;

	for (int b = 0; b < p->n_buffers; b++)
		if (buffer_is_output(&p->buffers[b]))
			list_itself(s, set, reference, b, &work);
	result = compare_begin(s, &work);
	if (result == CUDA_OK)
		result = compare_outputs(s, &work, 0, work.n_comparisons);
	if (result == CUDA_OK)
		result = compare_fetch(s, &work, &found);
	r = cuda_check(&s->cu, result, e, "looking at its outputs");
	for (int b = 0; b < p->n_buffers && r == 0; b++) {
		struct figures f;

		if (!buffer_is_output(&p->buffers[b]))
			continue;
		f = findings_figures(&found, at++, p->shapes[set->shape].buffers[b].count);
		if (f.nans)
			r = err_set(e, ERR_FAILED,
				    "%lld elements of %s are NaN, infinite or not written, the "
				    "first is element %lld",
				    (long long)f.nans, p->buffers[b].name, (long long)f.first_bad);
	}
	findings_release(&found);
	worklist_release(&work);
	return r;
}

static int make_expected(struct session *s, struct dataset *set, struct err *e)
{
	const struct problem *p = s->p;
	int r = 0;

	set->expected = mem_array((size_t)p->n_references + 1, sizeof(cuda_ptr));
	for (int i = 0; i < p->n_references && r == 0; i++) {
		r = allocate(s, &set->expected[i], s->layouts[set->shape].passed, e);
		if (r == 0 && p->references[i].files)
			r = read_files(s, set, i, e);
		else if (r == 0 && p->references[i].language == LANGUAGE_C)
			r = run_host(s, set, i, e);
		else if (r == 0)
			r = run_device(s, set, i, e);
		if (r == 0)
			r = refuse_nans(s, set, i, e);
		if (r < 0)
			err_wrap(e, "reference %s", p->references[i].name);
	}
	return r;
}

/* Gives the set up, and says whose it was. A reference that faults takes the context with it. */
static int give_up(struct session *s, struct dataset *set, struct err *e)
{
	int shape = set->shape;
	uint64_t seed = set->seed;

	s->poisoned = s->cu.stream_sync(s->stream) != CUDA_OK;
	dataset_release(s, set);
	return err_wrap(e, "shape %s, seed %llu", s->p->shapes[shape].name,
			(unsigned long long)seed);
}

int dataset_fill(struct session *s, int shape, uint64_t seed, struct dataset *ret, struct err *e)
{
	struct dataset set = { .shape = shape, .seed = seed };
	int64_t total = s->layouts[shape].total;
	struct draft draft;
	int r;

	draft_init(&draft, s, &set);
	r = draft_fill(&draft, e);
	if (r == 0)
		r = allocate(s, &set.image, total, e);
	if (r == 0)
		r = upload_now(s, set.image, draft.image, total, e);
	draft_release(&draft);
	if (r < 0)
		return give_up(s, &set, e);
	*ret = set;
	return 0;
}

int dataset_expect(struct session *s, struct dataset *set, struct err *e)
{
	return make_expected(s, set, e) < 0 ? give_up(s, set, e) : 0;
}

void dataset_release(struct session *s, struct dataset *d)
{
	for (int i = 0; d->expected && i < s->p->n_references; i++)
		if (d->expected[i])
			s->cu.free(d->expected[i]);
	free(d->expected);
	if (d->image)
		s->cu.free(d->image);
	memset(d, 0, sizeof *d);
}

const struct dataset *dataset_find(const struct session *s, int shape, uint64_t seed)
{
	for (int i = 0; i < s->n_sets; i++)
		if (s->sets[i].shape == shape && s->sets[i].seed == seed)
			return &s->sets[i];
	return NULL;
}

int dataset_fresh(struct session *s, int shape, uint64_t seed, const struct dataset **ret,
		  struct err *e)
{
	struct dataset *set = &s->fresh[shape];
	int r = 0;

	if (set->image && set->seed != seed)
		dataset_release(s, set);
	if (!set->image) {
		r = dataset_fill(s, shape, seed, set, e);
		if (r == 0 && s->p->shapes[shape].check)
			r = dataset_expect(s, set, e);
	}
	if (r == 0)
		*ret = set;
	return r;
}
