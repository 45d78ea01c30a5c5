#include "runtime/cuda_clock.h"

#include <stdlib.h>

#include "base/mem.h"
#include "runtime/stats.h"

/* Two blocks of so many threads are more than a multiprocessor holds of them or just as many:
 * twice as many blocks as there are of those come to each. */
enum { THREADS = 1024, BLOCKS_PER_SM = 2 };

struct stamp { /* as verify.cu has it; 0, 0: no block came to this multiprocessor */
	int64_t cycles, ns;
};

static int sm_count(const struct session *s)
{
	int64_t sms = s->device.attr[DEVICE_SM_COUNT];

	return sms > 0 ? (int)sms : 1;
}

static int64_t stamps_bytes(const struct session *s)
{
	return (int64_t)sizeof(struct stamp) * sm_count(s);
}

static int stamp(struct session *s, int which)
{
	int sms = sm_count(s);
	uint64_t at = s->stamps.at + (cuda_ptr)(stamps_bytes(s) * which);
	void *arguments[] = { &at, &sms };

	return s->cu.launch(s->stamp, (unsigned)(BLOCKS_PER_SM * sms), 1, 1, THREADS, 1, 1, 0,
			    s->stream, arguments, NULL);
}

static int begin(struct session *s)
{
	int64_t bytes = stamps_bytes(s) * 2 * CLOCK_STRETCHES;
	int result = room_reserve(s, &s->stamps, bytes);

	return result == CUDA_OK ? s->cu.set8(s->stamps.at, 0, (size_t)bytes, s->stream) : result;
}

int clock_start(struct session *s, int i)
{
	int result = i == 0 ? begin(s) : CUDA_OK;

	return result != CUDA_OK ? result : stamp(s, 2 * (i % CLOCK_STRETCHES));
}

int clock_end(struct session *s, int i)
{
	return stamp(s, 2 * (i % CLOCK_STRETCHES) + 1);
}

static double median(const double *values, int n)
{
	struct stats stats;

	stats_of(values, n, &stats);
	return stats.median;
}

/* Adds the stretch's median over multiprocessors; how many there are then. */
static int add_stretch(const struct stamp *start, int sms, double *mhz, int n)
{
	const struct stamp *end = start + sms;
	double *all = mem_array((size_t)sms, sizeof *all);
	int found = 0;

	for (int i = 0; i < sms; i++)
		if (start[i].ns && end[i].ns > start[i].ns)
			all[found++] = 1e3 * (double)(end[i].cycles - start[i].cycles) /
				       (double)(end[i].ns - start[i].ns);
	if (found)
		mhz[n++] = median(all, found);
	free(all);
	return n;
}

int clock_median(struct session *s, int n, double *ret_mhz)
{
	int sms = sm_count(s), stretches = n < CLOCK_STRETCHES ? n : CLOCK_STRETCHES, found = 0;
	size_t bytes = (size_t)stamps_bytes(s) * 2 * (size_t)stretches;
	struct stamp *stamps = mem_alloc(bytes + 1);
	double mhz[CLOCK_STRETCHES];
	int result = s->cu.stream_sync(s->stream);

	if (result == CUDA_OK && stretches)
		result = s->cu.download(stamps, s->stamps.at, bytes);
	for (int i = 0; i < stretches && result == CUDA_OK; i++)
		found = add_stretch(stamps + (size_t)(2 * i) * (size_t)sms, sms, mhz, found);
	free(stamps);
	if (result == CUDA_OK)
		*ret_mhz = found ? median(mhz, found) : 0;
	return result;
}
