#include "runtime/cuda_recheck.h"

#include <math.h>

#include "runtime/cuda_check.h"
#include "runtime/cuda_data.h"
#include "runtime/cuda_graph.h"
#include "runtime/verify.h"

enum {
	LAUNCHES_MAX = 16,  /* in a sample, */
	SAMPLE_NS = 150000, /* which lasts about this long without the copies */
	SAMPLES = 2,
	ATTEMPTS = 3,
};

/* The inputs of the set; outputs stay as they are, but where they are right for it already. */
static int restore_inputs(struct session *s, const struct recheck *after, const struct dataset *set)
{
	int result = CUDA_OK;

	for (int b = 0; b < s->p->n_buffers && result == CUDA_OK; b++) {
		enum buffer_role role = s->p->buffers[b].role;
		const struct place *place = &after->places[b];
		size_t bytes = (size_t)place->bytes;

		if (role == BUFFER_SCRATCH || !bytes || !buffer_in_scope(s->p, b, SCOPE_VARIANT))
			continue;
		if (role != BUFFER_OUT)
			result = s->cu.copy(
				place->at, set->image + (cuda_ptr)s->layouts[set->shape].offsets[b],
				bytes, s->stream);
		else if (set == after->timed)
			result = s->cu.set8(place->at, 0, bytes, s->stream);
	}
	return result;
}

static int check_outputs(struct trial *t, const struct recheck *after, const struct dataset *set,
			 struct err *e)
{
	struct session *s = t->s;
	int result = restore_inputs(s, after, set);

	if (result == CUDA_OK)
		result = cuda_call_go(s, after->call);
	if (result != CUDA_OK)
		return trial_verdict(t, result, TRIAL_OURS, "launching the kernel after timing", e);
	return trial_check_as_it_is(t, set, after->places, e);
}

struct rotation {
	struct session *s;
	const struct recheck *after;
	cuda_ptr images[2]; /* copied in before even and odd launches */
	int launches;
	struct cuda_exec *exec;
};

static int queue_turn(void *rotation, int i)
{
	struct rotation *r = rotation;
	struct session *s = r->s;
	size_t bytes = (size_t)s->layouts[r->after->timed->shape].passed;
	int result = s->cu.copy(s->arena.at, r->images[i % 2], bytes, s->stream);

	return result == CUDA_OK ? cuda_call_go(s, r->after->call) : result;
}

/* The odd image comes before the sample, so that its first launch is like all others. */
static int time_rotation(struct rotation *r, double *ret_ns)
{
	int result = queue_turn(r, 1);

	if (result == CUDA_OK)
		result = graph_time(r->s, r->exec, ret_ns);
	*ret_ns /= r->launches;
	return result;
}

/* The longest sample in which inputs repeat, the shortest of those in which they differ. */
static int time_both(struct rotation *repeat, struct rotation *differ, double *ret_repeat_ns,
		     double *ret_differ_ns)
{
	double ns = 0;
	int result = CUDA_OK;

	*ret_repeat_ns = 0;
	*ret_differ_ns = INFINITY;
	for (int i = 0; i < SAMPLES && result == CUDA_OK; i++) {
		result = time_rotation(repeat, &ns);
		*ret_repeat_ns = fmax(*ret_repeat_ns, ns);
		if (result == CUDA_OK)
			result = time_rotation(differ, &ns);
		*ret_differ_ns = fmin(*ret_differ_ns, ns);
	}
	return result;
}

/* A suspicion counts once it is confirmed. */
static int judge_times(struct trial *t, struct rotation *repeat, struct rotation *differ,
		       struct err *e)
{
	const struct recheck *after = repeat->after;
	double repeat_ns = 0, differ_ns = 0;

	for (int i = 0; i < ATTEMPTS; i++) {
		int result = time_both(repeat, differ, &repeat_ns, &differ_ns);

		if (result != CUDA_OK)
			return trial_verdict(t, result, TRIAL_OURS,
					     "timing the kernel on changing inputs", e);
		if (!verify_keeps_answers(differ_ns, repeat_ns, after->timing->p50_ns))
			return 0;
	}
	t->m->outcome = OUTCOME_WRONG;
	verify_say_kept(t->m->detail, sizeof t->m->detail,
			t->s->p->shapes[after->timed->shape].name, differ_ns, repeat_ns);
	return 1;
}

/* The arena for the first round's outputs is free by now, and holds a second copy of the image. */
static int check_times(struct trial *t, const struct recheck *after, const struct dataset *other,
		       struct err *e)
{
	struct session *s = t->s;
	cuda_ptr image = after->timed->image;
	double p50_ns = after->timing->p50_ns;
	int n = p50_ns > 0 ? (int)fmax(1, fmin(SAMPLE_NS / p50_ns, LAUNCHES_MAX)) : LAUNCHES_MAX;
	struct rotation repeat = { s, after, { image, s->first.at }, n, NULL };
	struct rotation differ = { s, after, { image, other->image }, n, NULL };
	int result =
		s->cu.copy(s->first.at, image, (size_t)s->layouts[other->shape].passed, s->stream);
	int r;

	if (result == CUDA_OK)
		result = graph_build(s, queue_turn, &repeat, n, &repeat.exec);
	if (result == CUDA_OK)
		result = graph_build(s, queue_turn, &differ, n, &differ.exec);
	r = trial_verdict(t, result, TRIAL_OURS, "building the graphs of changing inputs", e);
	if (r == 0)
		r = judge_times(t, &repeat, &differ, e);
	if (repeat.exec)
		s->cu.exec_destroy(repeat.exec);
	if (differ.exec)
		s->cu.exec_destroy(differ.exec);
	return r;
}

int trial_recheck(struct trial *t, const struct recheck *after, struct err *e)
{
	int shape = after->timed->shape, r = 0;
	uint64_t seed = verify_other_seed(t->s->p, shape, after->timed->seed);
	const struct dataset *other = dataset_find(t->s, shape, seed);

	if (seed == after->timed->seed)
		other = after->timed;
	if (!other)
		return err_set(e, ERR_INVALID, "shape %s was not prepared for a second seed",
			       t->s->p->shapes[shape].name);
	if (other->expected)
		r = check_outputs(t, after, other, e);
	if (r == 0 && other != after->timed && !after->timing->aborted)
		r = check_times(t, after, other, e);
	return r;
}
