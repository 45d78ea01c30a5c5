#include "runtime/cuda_crowd.h"

#include <stdbool.h>

#include "runtime/verify.h"

enum {
	THREADS_MAX = 512,
	THREADS_MIN = 128,    /* a warp in each partition of an SM */
	REGISTERS = 32,	      /* of a thread of it, at most, by its launch bounds */
	BLOCKS_SHARED = 2048, /* 1 KiB is charged to either block since compute capability 8.0 */
	STAY_US = 500,
	AWAIT_US = 100,
	MEMORY_BYTES_MIN = 32 << 20,
	VECTOR_BYTES = 16,
};

struct crowd { /* as verify.cu has it */
	uint32_t arrived, leave;
	float sink;
	uint32_t unused;
};

static cuda_ptr place_of(const struct session *s, int shape, int i)
{
	return s->crowds.at + (cuda_ptr)(shape * VERIFY_CROWDED + i) * sizeof(struct crowd);
}

static int64_t cycles_of(const struct session *s, int64_t us)
{
	int64_t khz = s->device.attr[DEVICE_CLOCK_KHZ];

	return (khz > 0 ? khz : 1000000) * us / 1000;
}

static unsigned blocks_of(const struct session *s)
{
	int64_t sms = s->device.attr[DEVICE_SM_COUNT];

	return sms > 0 ? (unsigned)sms : 1;
}

/* More than the cache holds; a power of two, so that a mask keeps indices inside. */
static int64_t memory_wanted(const struct session *s)
{
	int64_t bytes = MEMORY_BYTES_MIN;

	while (bytes < 2 * s->device.attr[DEVICE_L2_BYTES])
		bytes *= 2;
	return bytes;
}

int crowds_reserve(struct session *s)
{
	int result = room_reserve(s, &s->far, memory_wanted(s));

	if (result == CUDA_OK)
		result = room_reserve(s, &s->crowds,
				      (int64_t)sizeof(struct crowd) * VERIFY_CROWDED *
					      (s->p->n_shapes + 1));
	return result;
}

/* An SM divides its memory into cache and shared memory anew only when it is idle: all of it is
 * shared memory while a kernel is to find room beside a crowd. */
static int prefer_shared(struct session *s, struct cuda_function *beside, bool prefer)
{
	int percent = prefer ? CUDA_CARVEOUT_MAX_SHARED : CUDA_CARVEOUT_DEFAULT;
	int result = s->cu.function_set(s->crowd, CUDA_FUNCTION_CARVEOUT, percent);

	if (result == CUDA_OK)
		result = s->cu.function_set(beside, CUDA_FUNCTION_CARVEOUT, percent);
	return result;
}

/* Registers are given out to warps, in units of 8 a thread. Unknown limits do not limit. */
static bool fits(const struct session *s, const struct function *f, const struct launch *l,
		 int64_t crowd)
{
	const int64_t *limit = s->device.attr;
	int64_t threads = (l->block[0] * l->block[1] * l->block[2] + 31) / 32 * 32;
	int64_t registers = threads * ((f->registers + 7) / 8 * 8) + crowd * REGISTERS;
	int64_t shared = l->shared_bytes + f->shared_bytes + BLOCKS_SHARED;

	return (limit[DEVICE_SM_THREADS] <= 0 || threads + crowd <= limit[DEVICE_SM_THREADS]) &&
	       (limit[DEVICE_SM_REGISTERS] <= 0 || registers <= limit[DEVICE_SM_REGISTERS]) &&
	       (limit[DEVICE_SM_SHARED_BYTES] <= 0 || shared <= limit[DEVICE_SM_SHARED_BYTES]);
}

int crowd_threads(const struct session *s, const struct function *f, const struct launch *l)
{
	for (int threads = THREADS_MAX; threads >= THREADS_MIN; threads /= 2)
		if (fits(s, f, l, threads))
			return threads;
	return 0;
}

int crowds_begin(struct session *s, struct cuda_function *beside)
{
	int result = s->cu.set8(s->crowds.at, 0, (size_t)s->crowds.bytes, s->stream);

	return result == CUDA_OK ? prefer_shared(s, beside, true) : result;
}

int crowd_gather(struct session *s, int shape, int i, int threads)
{
	uint64_t memory = s->far.at, mask = (uint64_t)s->far.bytes / VECTOR_BYTES - 1;
	uint64_t crowd = place_of(s, shape, i);
	int64_t stay = cycles_of(s, STAY_US), await = cycles_of(s, AWAIT_US);
	unsigned blocks = blocks_of(s);
	void *arguments[] = { &memory, &mask, &crowd, &stay };
	void *awaited[] = { &crowd, &blocks, &await };
	int result = s->cu.event_record(s->gate, s->stream);

	if (result == CUDA_OK)
		result = s->cu.stream_wait(s->aside, s->gate, 0);
	if (result == CUDA_OK)
		result = s->cu.launch(s->crowd, blocks, 1, 1, (unsigned)threads, 1, 1, 0, s->aside,
				      arguments, NULL);
	if (result == CUDA_OK)
		result = s->cu.launch(s->await, 1, 1, 1, 1, 1, 1, 0, s->stream, awaited, NULL);
	return result;
}

int crowd_dismiss(struct session *s, int shape, int i)
{
	return s->cu.set8(place_of(s, shape, i) + offsetof(struct crowd, leave), 1,
			  sizeof(uint32_t), s->stream);
}

int crowds_end(struct session *s, struct cuda_function *beside)
{
	int result = s->cu.stream_sync(s->aside);

	return result == CUDA_OK ? prefer_shared(s, beside, false) : result;
}
