#include "runtime/host_session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "runtime/fill.h"
#include "runtime/npy.h"
#include "runtime/verify.h"

enum { FENCE_BYTES = 1 << 20 }; /* without access, on either side */

static void zone_release(struct host_zone *z)
{
	if (z->map)
		munmap(z->map, z->map_len);
	memset(z, 0, sizeof *z);
}

static void zone_guard(struct host_zone *z)
{
	memset(z->data - z->before, VERIFY_GUARD_BYTE, z->before);
	memset(z->data + z->bytes, VERIFY_GUARD_BYTE, z->behind);
}

static int zone_init(struct host_zone *z, size_t bytes, struct err *e)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t inner = (bytes + 2 * (size_t)VERIFY_GUARD_BYTES + page - 1) / page * page;
	size_t len = inner + 2 * (size_t)FENCE_BYTES;
	char *map = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return err_set(e, ERR_FAILED, "no memory for a buffer of %zu bytes", bytes);
	if (mprotect(map + FENCE_BYTES, inner, PROT_READ | PROT_WRITE)) {
		munmap(map, len);
		return err_set(e, ERR_FAILED, "no memory for a buffer of %zu bytes", bytes);
	}
	*z = (struct host_zone){ .map = map,
				 .map_len = len,
				 .data = map + FENCE_BYTES + VERIFY_GUARD_BYTES,
				 .bytes = bytes,
				 .before = VERIFY_GUARD_BYTES,
				 .behind = inner - bytes - VERIFY_GUARD_BYTES };
	zone_guard(z);
	return 0;
}

static bool zone_intact(const struct host_zone *z)
{
	return verify_all_bytes(z->data - z->before, z->before, VERIFY_GUARD_BYTE) &&
	       verify_all_bytes(z->data + z->bytes, z->behind, VERIFY_GUARD_BYTE);
}

bool host_is_output(const struct problem *p, int buffer)
{
	enum buffer_role r = p->buffers[buffer].role;

	return r == BUFFER_OUT || r == BUFFER_INOUT;
}

static bool is_filled(const struct problem *p, int buffer)
{
	enum buffer_role r = p->buffers[buffer].role;

	return r == BUFFER_IN || r == BUFFER_INOUT;
}

static size_t bytes_of(const struct session *s, int shape, int buffer)
{
	return s->stages[shape].zones[buffer].bytes;
}

int host_stage_scratch(struct session *s, int shape, const struct launch *l, struct err *e)
{
	for (int i = 0; i < s->p->n_buffers && i < l->n_scratch; i++) {
		struct host_zone *z = &s->stages[shape].zones[i];
		size_t bytes;
		int r;

		if (s->p->buffers[i].role != BUFFER_SCRATCH)
			continue;
		if (__builtin_mul_overflow((size_t)l->scratch[i],
					   dtype_bytes(s->p->buffers[i].type), &bytes) ||
		    l->scratch[i] < 0 || bytes > PTRDIFF_MAX / 2)
			return err_set(e, ERR_FAILED, "buffer %s: more scratch than memory",
				       s->p->buffers[i].name);
		if (z->map && z->bytes == bytes)
			continue;
		zone_release(z);
		r = zone_init(z, bytes, e);
		if (r < 0)
			return err_wrap(e, "buffer %s", s->p->buffers[i].name);
	}
	return 0;
}

void host_stage_reset(struct session *s, int shape, const struct host_case *c, int round)
{
	for (int i = 0; i < s->p->n_buffers; i++) {
		struct host_zone *z = &s->stages[shape].zones[i];

		zone_guard(z);
		if (c->inputs[i])
			memcpy(z->data, c->inputs[i], z->bytes);
		else
			memset(z->data, verify_poison(s->p->buffers[i].type, round), z->bytes);
	}
}

void host_stage_fill(struct session *s, int shape, const struct host_case *c)
{
	for (int i = 0; i < s->p->n_buffers; i++)
		if (c->inputs[i])
			memcpy(s->stages[shape].zones[i].data, c->inputs[i], bytes_of(s, shape, i));
}

bool host_guards_intact(const struct session *s, int shape)
{
	for (int i = 0; i < s->p->n_buffers; i++)
		if (!zone_intact(&s->stages[shape].zones[i]))
			return false;
	return true;
}

bool host_inputs_intact(const struct session *s, int shape, const struct host_case *c)
{
	for (int i = 0; i < s->p->n_buffers; i++) {
		const struct host_zone *z = &s->stages[shape].zones[i];

		if (s->p->buffers[i].role == BUFFER_IN &&
		    memcmp(z->data, c->inputs[i], z->bytes) != 0)
			return false;
	}
	return true;
}

void **host_arguments(const struct session *s, int shape, const struct problem_argument *arguments,
		      int n, const struct launch *l)
{
	/* First the array itself, then as many slots for what its elements point to. */
	void **a = mem_array((size_t)n * 2, sizeof(void *) > 8 ? sizeof(void *) : 8);
	uint64_t *slots = (uint64_t *)(a + n);

	for (int i = 0; i < n; i++) {
		const struct problem_argument *arg = &arguments[i];

		a[i] = &slots[i];
		if (arg->buffer < 0)
			dtype_set(arg->type, &slots[i], 0, l->scalars[i]);
		else
			memcpy(&slots[i], &s->stages[shape].zones[arg->buffer].data,
			       sizeof(void *));
	}
	return a;
}

static int fill_inputs(struct session *s, int shape, struct host_case *c, struct err *e)
{
	for (int i = 0; i < s->p->n_buffers; i++) {
		size_t bytes = bytes_of(s, shape, i);
		int r;

		if (!is_filled(s->p, i))
			continue;
		c->inputs[i] = mem_alloc(bytes);
		r = fill_buffer(s->p, shape, i, c->seed, c->inputs, c->inputs[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int load_golden(struct session *s, int shape, const struct problem_reference *ref,
		       void **expected, struct err *e)
{
	for (int i = 0; i < s->p->n_buffers; i++) {
		int r;

		if (!host_is_output(s->p, i))
			continue;
		if (!ref->files[i])
			return err_set(e, ERR_INVALID, "there is no golden file for buffer %s",
				       s->p->buffers[i].name);
		expected[i] = mem_alloc(bytes_of(s, shape, i));
		r = npy_load(ref->files[i], s->p->buffers[i].type,
			     s->p->shapes[shape].buffers[i].count, expected[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int run_reference(struct session *s, int shape, int reference, const struct host_case *c,
			 struct err *e)
{
	const struct problem_reference *ref = &s->p->references[reference];
	const struct launch *l = &s->p->shapes[shape].references[reference];
	struct host_call *call = NULL;
	void **arguments;
	int r;

	if (ref->language != LANGUAGE_C)
		return err_set(e, ERR_INVALID, "the host runtime runs references in C only");
	r = host_stage_scratch(s, shape, l, e);
	if (r == 0)
		r = host_call_load(ref->artifact, &call, e);
	if (!call)
		return r;
	host_stage_reset(s, shape, c, 0);
	arguments = host_arguments(s, shape, ref->arguments, ref->n_arguments, l);
	host_call_run(call, arguments);
	free(arguments);
	host_call_close(call);
	if (!host_guards_intact(s, shape))
		r = err_set(e, ERR_FAILED, "it wrote outside a buffer");
	else if (!host_inputs_intact(s, shape, c))
		r = err_set(e, ERR_FAILED, "it wrote to an input");
	return r;
}

/* Poison is NaN in the floating-point types: so this also catches what was not written. */
static int check_finite(const struct problem *p, int buffer, const void *data, int64_t count,
			struct err *e)
{
	for (int64_t i = 0; i < count; i++)
		if (!isfinite(dtype_get(p->buffers[buffer].type, data, i)))
			return err_set(e, ERR_FAILED,
				       "element %lld of %s is NaN, infinite or was not written",
				       (long long)i, p->buffers[buffer].name);
	return 0;
}

static int make_expected(struct session *s, int shape, int reference, struct host_case *c,
			 struct err *e)
{
	const struct problem_reference *ref = &s->p->references[reference];
	void **expected = c->expected + (ptrdiff_t)reference * s->p->n_buffers;
	int r = ref->files ? load_golden(s, shape, ref, expected, e)
			   : run_reference(s, shape, reference, c, e);

	for (int i = 0; r == 0 && i < s->p->n_buffers; i++) {
		if (!host_is_output(s->p, i))
			continue;
		if (!expected[i])
			expected[i] =
				mem_copy(s->stages[shape].zones[i].data, bytes_of(s, shape, i));
		r = check_finite(s->p, i, expected[i], s->p->shapes[shape].buffers[i].count, e);
	}
	if (r < 0)
		r = err_wrap(e, "reference %s, shape %s, seed %llu", ref->name,
			     s->p->shapes[shape].name, (unsigned long long)c->seed);
	return r;
}

int host_case_init(struct session *s, int shape, uint64_t seed, bool check, struct host_case *ret,
		   struct err *e)
{
	size_t n = (size_t)s->p->n_buffers;
	int r;

	ret->seed = seed;
	ret->inputs = mem_array(n, sizeof *ret->inputs);
	r = fill_inputs(s, shape, ret, e);
	if (!check)
		return r;
	ret->expected = mem_array(n * (size_t)s->p->n_references, sizeof *ret->expected);
	for (int i = 0; r == 0 && i < s->p->n_references; i++)
		r = make_expected(s, shape, i, ret, e);
	return r;
}

void host_case_release(const struct session *s, struct host_case *c)
{
	int n = s->p->n_buffers;

	for (int i = 0; c->inputs && i < n; i++)
		free(c->inputs[i]);
	for (int i = 0; c->expected && i < n * s->p->n_references; i++)
		free(c->expected[i]);
	free(c->inputs);
	free(c->expected);
	memset(c, 0, sizeof *c);
}

const struct host_case *host_case_find(const struct session *s, int shape, uint64_t seed)
{
	const struct host_stage *st = &s->stages[shape];

	for (int i = 0; i < st->n_cases; i++)
		if (st->cases[i].seed == seed)
			return &st->cases[i];
	return NULL;
}

/* A case that fails is counted too, so that it is released. */
static int add_case(struct session *s, int shape, uint64_t seed, struct err *e)
{
	struct host_stage *st = &s->stages[shape];

	if (host_case_find(s, shape, seed))
		return 0;
	return host_case_init(s, shape, seed, s->p->shapes[shape].check, &st->cases[st->n_cases++],
			      e);
}

static int open_stage(struct session *s, int shape, struct err *e)
{
	const struct problem_shape *ps = &s->p->shapes[shape];
	struct host_stage *st = &s->stages[shape];
	int r = 0;

	if (problem_shape_bytes(s->p, shape) < 0)
		return err_set(e, ERR_INVALID, "its buffers are larger than any memory");
	st->zones = mem_array((size_t)s->p->n_buffers, sizeof *st->zones);
	for (int i = 0; r == 0 && i < s->p->n_buffers; i++)
		r = zone_init(&st->zones[i],
			      (size_t)ps->buffers[i].count * dtype_bytes(s->p->buffers[i].type), e);
	st->cases = mem_array((size_t)s->p->n_seeds + 1, sizeof *st->cases);
	for (int i = 0; r == 0 && i < (ps->check ? s->p->n_seeds : ps->time); i++)
		r = add_case(s, shape, s->p->seeds[i], e);
	if (r == 0 && ps->time)
		r = add_case(s, shape, verify_other_seed(s->p, shape, s->p->seeds[0]), e);
	return r;
}

/* Four times the last-level cache: what lay in it before is gone under any replacement policy. */
static void open_flush(struct session *s)
{
	long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);

	if (s->p->timing.l2 != TIMING_L2_COLD)
		return;
	if (cache <= 0)
		cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
	s->flush_bytes = cache > 0 ? (size_t)cache * 4 : (size_t)64 << 20;
	s->flush = mem_alloc(s->flush_bytes);
}

int host_session_open(int ordinal, const struct problem *p, struct session **ret, struct err *e)
{
	struct session *s;
	int r = 0;

	if (ordinal != 0)
		return err_set(e, ERR_MISSING, "host device %d: there is only device 0", ordinal);
	if (p->n_seeds < 1)
		return err_set(e, ERR_INVALID, "a problem needs at least one seed");
	s = mem_alloc(sizeof *s);
	s->p = p;
	s->stages = mem_array((size_t)p->n_shapes, sizeof *s->stages);
	for (int i = 0; r == 0 && i < p->n_shapes; i++) {
		r = open_stage(s, i, e);
		if (r < 0)
			err_wrap(e, "shape %s", p->shapes[i].name);
	}
	if (r < 0) {
		host_session_close(s);
		return r;
	}
	open_flush(s);
	*ret = s;
	return 0;
}

void host_session_close(struct session *s)
{
	for (int i = 0; i < s->p->n_shapes; i++) {
		struct host_stage *st = &s->stages[i];

		for (int k = 0; st->cases && k < st->n_cases; k++)
			host_case_release(s, &st->cases[k]);
		for (int k = 0; st->zones && k < s->p->n_buffers; k++)
			zone_release(&st->zones[k]);
		free(st->cases);
		free(st->zones);
	}
	free(s->stages);
	free(s->flush);
	free(s);
}
