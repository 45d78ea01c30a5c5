#include "runtime/cuda_remote.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct remote { /* of one shape: the front of its image */
	void *host;
	cuda_ptr at;
	uint64_t seed; /* whose inputs are there */
	bool filled, refused;
};

static bool is_passed_input(const struct problem *p, int buffer)
{
	return p->buffers[buffer].role == BUFFER_IN && buffer_in_scope(p, buffer, SCOPE_VARIANT);
}

static int64_t input_bytes(const struct session *s, int shape)
{
	int64_t bytes = 0;

	for (int b = 0; b < s->p->n_buffers; b++)
		if (is_passed_input(s->p, b))
			bytes += s->layouts[shape].bytes[b];
	return bytes;
}

/* Outputs and guards lie between the inputs, as they do on the device: what reads past an input
 * finds the same there. */
static int allocate(struct session *s, int shape, struct remote *r)
{
	size_t bytes = (size_t)s->layouts[shape].passed;
	int result = s->cu.host_alloc(&r->host, bytes, CUDA_HOST_MAPPED);

	if (result == CUDA_OK)
		result = s->cu.host_pointer(&r->at, r->host, 0);
	return result;
}

static int fill(struct session *s, const struct dataset *set, struct remote *r)
{
	int result = s->cu.stream_sync(s->stream);

	r->filled = false;
	if (result == CUDA_OK)
		result = s->cu.download(r->host, set->image, (size_t)s->layouts[set->shape].passed);
	r->filled = result == CUDA_OK;
	r->seed = set->seed;
	return result;
}

static struct remote *remote_of(struct session *s, int shape)
{
	if (!s->remotes)
		s->remotes = mem_array((size_t)s->p->n_shapes + 1, sizeof *s->remotes);
	return &s->remotes[shape];
}

int remote_inputs(struct session *s, const struct dataset *set, const struct place *places,
		  struct place *ret, bool *ret_any)
{
	const struct layout *l = &s->layouts[set->shape];
	struct remote *r = remote_of(s, set->shape);
	int64_t bytes = input_bytes(s, set->shape);
	int result = CUDA_OK;

	*ret_any = false;
	if (bytes == 0 || bytes > REMOTE_BYTES_MAX || l->passed > REMOTE_FRONT_MAX || r->refused)
		return CUDA_OK;
	if (!r->at)
		r->refused = allocate(s, set->shape, r) != CUDA_OK;
	if (!r->refused && (!r->filled || r->seed != set->seed))
		result = fill(s, set, r);
	if (r->refused || result != CUDA_OK)
		return result;
	memcpy(ret, places, (size_t)s->p->n_buffers * sizeof *ret);
	for (int b = 0; b < s->p->n_buffers; b++)
		if (is_passed_input(s->p, b))
			ret[b].at = r->at + (cuda_ptr)l->offsets[b];
	*ret_any = true;
	return CUDA_OK;
}

void remotes_release(struct session *s)
{
	for (int i = 0; s->remotes && i < s->p->n_shapes; i++)
		if (s->remotes[i].host)
			s->cu.host_free(s->remotes[i].host);
	free(s->remotes);
	s->remotes = NULL;
}
