#include "runtime/cuda_trial.h"

#include <stdarg.h>
#include <stdio.h>

#include "runtime/cuda_data.h"

/* The context is lost after any of these ("sticky" errors in the driver's documentation). */
static bool is_fault(int result)
{
	static const int faults[] = {
		CUDA_CONTAINED,
		CUDA_ILLEGAL_ADDRESS,
		CUDA_LAUNCH_TIMEOUT,
		CUDA_ASSERT,
		CUDA_HARDWARE_STACK_ERROR,
		CUDA_ILLEGAL_INSTRUCTION,
		CUDA_MISALIGNED_ADDRESS,
		CUDA_INVALID_ADDRESS_SPACE,
		CUDA_INVALID_PC,
		CUDA_LAUNCH_FAILED,
		CUDA_TENSOR_MEMORY_LEAK,
		CUDA_UNKNOWN,
	};

	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
		if (result == faults[i])
			return true;
	return false;
}

static bool is_refusal(int result)
{
	return result == CUDA_INVALID_VALUE || result == CUDA_OUT_OF_MEMORY ||
	       result == CUDA_LAUNCH_OUT_OF_RESOURCES ||
	       result == CUDA_COOPERATIVE_LAUNCH_TOO_LARGE || result == CUDA_INVALID_CLUSTER_SIZE;
}

int trial_end(struct trial *t, enum outcome o, const char *fmt, ...)
{
	va_list ap;

	t->m->outcome = o;
	va_start(ap, fmt);
	vsnprintf(t->m->detail, sizeof t->m->detail, fmt, ap);
	va_end(ap);
	return 1;
}

int trial_verdict(struct trial *t, int result, enum trial_phase phase, const char *doing,
		  struct err *e)
{
	struct session *s = t->s;

	if (result == CUDA_OK)
		return 0;
	cuda_check(&s->cu, result, e, doing);
	if (is_fault(result)) {
		s->poisoned = t->m->poisoned = true;
		return trial_end(t, OUTCOME_FAULT, "%s", e->msg);
	}
	if (phase == TRIAL_LAUNCH && is_refusal(result))
		return trial_end(t, OUTCOME_TOO_BIG, "%s", e->msg);
	return (int)e->code;
}

int trial_dataset(struct trial *t, int shape, uint64_t seed, const struct dataset **ret,
		  struct err *e)
{
	const struct dataset *set;

	if (t->job->fresh_seed && seed == t->job->fresh_seed)
		return dataset_fresh(t->s, shape, seed, ret, e);
	set = dataset_find(t->s, shape, seed);
	if (!set)
		return err_set(e, ERR_INVALID, "shape %s was not prepared for this seed",
			       t->s->p->shapes[shape].name);
	*ret = set;
	return 0;
}
