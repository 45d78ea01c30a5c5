/*
 * What the cuda runtime itself runs on the device: comparing outputs with the expected ones,
 * looking for bytes that must not have changed, keeping the device busy for a moment, reading its
 * clock, and being in
 * the way of a launch that is checked. Built
 * into the program as text and compiled for the device when it is opened. The host passes
 * -DDTYPE_U8=0 and so on, and has the structs again (cuda_compare.h). No header is needed.
 *
 * The figures are the same on every run: the grid is fixed by the element count, each thread adds
 * up in index order, and each block folds its threads as a tree; so does the one that folds the
 * blocks.
 */
#define THREADS 256
#define CROWD_THREADS 512

struct partial {
	double max_abs, sum_abs, sum_sq_diff, sum_sq_ref;
	long long bad, nans, unwritten, first_bad; /* first_bad -1: none */
};

struct segment {
	const unsigned char *at;
	const unsigned char *want; /* the bytes expected there; 0: all of them `byte` */
	unsigned long long bytes;
	unsigned long long byte;
};

struct comparison {
	const void *got, *want;
	long long count;
	unsigned long long poison; /* the pattern repeated over eight bytes */
	double atol, rtol;
	int type, width;
	int blocks; /* that work on it */
	int like;   /* while none of the flags is set: the comparison that gives the same figures */
	int flag, n_flags;
};

/* OCP FP8 E4M3: no infinity; all exponent and mantissa bits set is NaN. */
static __device__ double from_e4m3(unsigned bits)
{
	unsigned magnitude = bits & 0x7f, exponent = magnitude >> 3, mantissa = magnitude & 7;
	double sign = bits & 0x80 ? -1.0 : 1.0;

	if (magnitude == 0x7f)
		return __longlong_as_double(0x7ff8000000000000LL);
	if (exponent == 0)
		return sign * mantissa / 512.0;
	return sign * (8 + mantissa) * __longlong_as_double((1023LL + exponent - 10) << 52);
}

static __device__ double from_f16(unsigned short bits)
{
	float f;

	asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(bits));
	return f;
}

static __device__ double load(int type, const void *base, long long i)
{
	switch (type) {
	case DTYPE_U8:
		return ((const unsigned char *)base)[i];
	case DTYPE_I8:
		return ((const signed char *)base)[i];
	case DTYPE_U16:
		return ((const unsigned short *)base)[i];
	case DTYPE_I16:
		return ((const short *)base)[i];
	case DTYPE_U32:
		return ((const unsigned *)base)[i];
	case DTYPE_I32:
		return ((const int *)base)[i];
	case DTYPE_U64:
		return (double)((const unsigned long long *)base)[i];
	case DTYPE_I64:
		return (double)((const long long *)base)[i];
	case DTYPE_E4M3:
		return from_e4m3(((const unsigned char *)base)[i]);
	case DTYPE_F16:
		return from_f16(((const unsigned short *)base)[i]);
	case DTYPE_BF16:
		return __uint_as_float((unsigned)((const unsigned short *)base)[i] << 16);
	case DTYPE_F32:
		return ((const float *)base)[i];
	default:
		return ((const double *)base)[i];
	}
}

/* The element's bits, whatever they mean. */
static __device__ unsigned long long bits_of(int width, const void *base, long long i)
{
	switch (width) {
	case 1:
		return ((const unsigned char *)base)[i];
	case 2:
		return ((const unsigned short *)base)[i];
	case 4:
		return ((const unsigned *)base)[i];
	default:
		return ((const unsigned long long *)base)[i];
	}
}

static __device__ void note_bad(partial &p, long long i)
{
	if (p.bad++ == 0)
		p.first_bad = i;
}

static __device__ void add(partial &p, const partial &q)
{
	p.max_abs = fmax(p.max_abs, q.max_abs);
	p.sum_abs += q.sum_abs;
	p.sum_sq_diff += q.sum_sq_diff;
	p.sum_sq_ref += q.sum_sq_ref;
	p.nans += q.nans;
	p.unwritten += q.unwritten;
	if (q.bad && (p.bad == 0 || q.first_bad < p.first_bad))
		p.first_bad = q.first_bad;
	p.bad += q.bad;
}

/* Adds up what the threads of a block have; thread 0 writes it. */
static __device__ void fold(const partial &mine, partial *ret)
{
	__shared__ partial lanes[THREADS];

	lanes[threadIdx.x] = mine;
	__syncthreads();
	for (int half = THREADS / 2; half > 0; half /= 2) {
		if (threadIdx.x < half)
			add(lanes[threadIdx.x], lanes[threadIdx.x + half]);
		__syncthreads();
	}
	if (threadIdx.x == 0)
		*ret = lanes[0];
}

static __device__ partial nothing()
{
	partial p = { 0, 0, 0, 0, 0, 0, 0, -1 };

	return p;
}

static __device__ bool is_like_another(const comparison &c, const unsigned long long *flags)
{
	if (c.like < 0)
		return false;
	for (int i = 0; i < c.n_flags; i++)
		if (flags[c.flag + i])
			return false;
	return true;
}

/* One partial a block, at the place of comparison `first` + blockIdx.y. */
extern "C" __global__ void __launch_bounds__(THREADS)
	evo_compare(const comparison *all, const unsigned long long *flags, partial *partials,
		    int first, int blocks_max)
{
	int at = first + blockIdx.y;
	comparison c = all[at];
	partial p = nothing();
	unsigned long long mask = ~0ULL >> (64 - 8 * c.width);

	if (blockIdx.x >= c.blocks || is_like_another(c, flags))
		return;
	for (long long i = (long long)blockIdx.x * THREADS + threadIdx.x; i < c.count;
	     i += (long long)c.blocks * THREADS) {
		double x = load(c.type, c.got, i), ref = load(c.type, c.want, i);
		double diff = fabs(x - ref);
		unsigned long long bits = bits_of(c.width, c.got, i);

		if (bits == (c.poison & mask) && bits != bits_of(c.width, c.want, i))
			p.unwritten++;
		if (!isfinite(x) || !isfinite(ref)) {
			p.nans++;
			note_bad(p, i);
			continue;
		}
		if (diff > c.atol + c.rtol * fabs(ref))
			note_bad(p, i);
		p.max_abs = fmax(p.max_abs, diff);
		p.sum_abs += diff;
		p.sum_sq_diff += diff * diff;
		p.sum_sq_ref += ref * ref;
	}
	fold(p, &partials[(long long)at * blocks_max + blockIdx.x]);
}

/* The figures of comparison blockIdx.x, from its partials or from those of the one it is like. */
extern "C" __global__ void __launch_bounds__(THREADS)
	evo_fold(const comparison *all, const unsigned long long *flags, const partial *partials,
		 int blocks_max, partial *ret)
{
	int at = blockIdx.x;
	partial p = nothing();

	if (is_like_another(all[at], flags))
		at = all[at].like;
	for (int i = threadIdx.x; i < all[at].blocks; i += THREADS)
		add(p, partials[(long long)at * blocks_max + i]);
	fold(p, &ret[blockIdx.x]);
}

static __device__ bool differs_vector(uint4 a, uint4 b)
{
	return a.x != b.x || a.y != b.y || a.z != b.z || a.w != b.w;
}

/* Sets differs[s] to 1 where segment s is not as expected; s is blockIdx.y. */
extern "C" __global__ void __launch_bounds__(THREADS)
	evo_same(const segment *segments, unsigned long long *differs)
{
	segment s = segments[blockIdx.y];
	unsigned long long first = (unsigned long long)blockIdx.x * THREADS + threadIdx.x;
	unsigned long long step = (unsigned long long)gridDim.x * THREADS, done = 0;
	unsigned word = (unsigned)s.byte * 0x01010101u;
	uint4 fill = make_uint4(word, word, word, word);
	bool differs_here = false;

	if ((((unsigned long long)s.at | (unsigned long long)s.want) & 15) == 0) {
		const uint4 *at = (const uint4 *)s.at, *want = (const uint4 *)s.want;

		for (unsigned long long i = first; i < s.bytes / 16; i += step)
			differs_here |= differs_vector(at[i], want ? want[i] : fill);
		done = s.bytes / 16 * 16;
	}
	for (unsigned long long i = done + first; i < s.bytes; i += step)
		differs_here |= s.at[i] != (s.want ? s.want[i] : (unsigned char)s.byte);
	if (differs_here)
		atomicOr(&differs[blockIdx.y], 1ULL);
}

/* Keeps the device busy while the host queues what is to be timed. */
extern "C" __global__ void evo_spin(long long cycles)
{
	long long start = clock64();

	while (clock64() - start < cycles)
		;
}

struct moment {
	long long cycles, ns;
};

/* Of each multiprocessor, at about one moment: its cycle counter and the device's time. */
extern "C" __global__ void __launch_bounds__(1024) evo_stamp(moment *ret, int sms)
{
	unsigned sm;
	long long ns;

	asm volatile("mov.u32 %0, %%smid;" : "=r"(sm));
	asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
	if (threadIdx.x == 0 && sm < sms)
		*(longlong2 *)&ret[sm] = make_longlong2(clock64(), ns);
}

/* One crowd, from its gathering to its leaving (cuda_crowd.h). */
struct crowd {
	unsigned arrived; /* blocks that run */
	unsigned leave;	  /* set by the host */
	float sink;
	unsigned unused;
};

/* Fills the issue slots of the warp's partition: 8 chains hide an FMA's latency. */
static __device__ float burn(float x)
{
	float chains[8];

#pragma unroll
	for (int i = 0; i < 8; i++)
		chains[i] = x + i;
	for (int n = 0; n < 64; n++)
#pragma unroll
		for (int i = 0; i < 8; i++)
			chains[i] = fmaf(chains[i], 0.75f, 0.5f);
#pragma unroll
	for (int i = 1; i < 8; i++)
		chains[0] += chains[i];
	return chains[0];
}

/* Past the first-level cache. */
static __device__ unsigned read_far(const uint4 *at)
{
	uint4 v;

	asm volatile("ld.global.cg.v4.u32 {%0, %1, %2, %3}, [%4];"
		     : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
		     : "l"(at));
	return v.x ^ v.y ^ v.z ^ v.w;
}

/*
 * One block an SM, until told to leave or for so many cycles. Warps lie in four partitions by their
 * slot, each with an issue port of its own (so since Volta). Those of one partition take its issue
 * slots, another one every 4096 cycles; the others read `mask` + 1 vectors of memory over and over.
 */
extern "C" __global__ void __launch_bounds__(CROWD_THREADS, 4)
	evo_crowd(const uint4 *memory, unsigned long long mask, crowd *c, long long cycles)
{
	unsigned long long at = (unsigned long long)blockIdx.x * blockDim.x + threadIdx.x;
	unsigned long long step = (unsigned long long)gridDim.x * blockDim.x;
	long long start = clock64(), now = start;
	unsigned slot, sm, seen = 0;
	float x = threadIdx.x;

	asm volatile("mov.u32 %0, %%warpid;" : "=r"(slot));
	asm volatile("mov.u32 %0, %%smid;" : "=r"(sm));
	if (threadIdx.x == 0)
		atomicAdd(&c->arrived, 1u);
	for (; now - start < cycles && !*(volatile unsigned *)&c->leave; now = clock64()) {
		if ((((unsigned)(now >> 12) + sm) & 3) == (slot & 3)) {
			x = burn(x);
			continue;
		}
#pragma unroll
		for (int i = 0; i < 4; i++, at += step)
			seen ^= read_far(memory + (at & mask));
	}
	if (x == -1 && seen == 1) /* never, but the compiler cannot know */
		c->sink = x;
}

/* Holds its stream until the crowd has come, or for so many cycles. One thread. */
extern "C" __global__ void evo_await(const crowd *c, unsigned blocks, long long cycles)
{
	long long start = clock64();

	while (clock64() - start < cycles && *(volatile const unsigned *)&c->arrived < blocks)
		;
}
