#ifndef SDPA_PTX_CUH
#define SDPA_PTX_CUH

/*
 * src/kernels/sdpa/ptx.cuh in C++, from the fragment tables of the PTX ISA. A copy by cp.async is
 * done no sooner than a wait demands it, so that a wrong wait count shows as stale bytes; or, if
 * eager, as soon as it is begun, so that a target that is still read shows as bytes of the future.
 */
#include <deque>
#include <map>
#include <vector>

#include "cuda_fp16.h"
#include "lanes.h"

extern "C" unsigned char shared[]; /* the kernel's dynamic shared memory */

namespace ptx
{
typedef unsigned int u32;

extern bool eager;

struct copy {
	u32 to;
	const void *from;
	int bytes;
	bool valid;

	void make() const
	{
		if (valid)
			std::memcpy(shared + to, from, (size_t)bytes);
		else
			std::memset(shared + to, 0, (size_t)bytes);
	}
};

/* Groups of copies a thread has committed, and the one that is open. */
struct pending {
	std::deque<std::vector<copy>> groups;
	std::vector<copy> open;
};

inline std::vector<pending> &of_all()
{
	static std::vector<pending> all(1024);
	return all;
}

inline pending &mine()
{
	return of_all()[(size_t)lanes::self()];
}

/* What the last block left unfinished. */
inline void forget()
{
	for (pending &p : of_all())
		p = pending();
}

inline u32 shared_address(const void *p)
{
	return (u32)((const unsigned char *)p - shared);
}

/* 8x8 matrices of 16-bit elements: lane 4 g + t gets elements 2 t, 2 t + 1 of row g. */
inline void ldmatrix(u32 (&ret)[4], u32 address)
{
	const u32 *rows = lanes::gather(address);
	int lane = lanes::self() & 31;

	for (int i = 0; i < 4; i++)
		std::memcpy(&ret[i], shared + rows[8 * i + lane / 4] + lane % 4 * 4, 4);
}

inline void ldmatrix_transposed(u32 (&ret)[4], u32 address)
{
	const u32 *rows = lanes::gather(address);
	int g = (lanes::self() & 31) / 4, t = lanes::self() & 3;

	for (int i = 0; i < 4; i++) {
		unsigned short low, high;
		std::memcpy(&low, shared + rows[8 * i + 2 * t] + 2 * g, 2);
		std::memcpy(&high, shared + rows[8 * i + 2 * t + 1] + 2 * g, 2);
		ret[i] = (u32)high << 16 | low;
	}
}

/* OCP FP8 E4M3: no infinity, a NaN only where all but the sign are ones. */
inline float e4m3(u32 bits)
{
	int exponent = (int)(bits >> 3 & 15), fraction = (int)(bits & 7);
	float f = exponent ? std::ldexp(8.0f + (float)fraction, exponent - 10)
			   : std::ldexp((float)fraction, -9);
	if ((bits & 127) == 127)
		f = NAN;
	return bits & 128 ? -f : f;
}

struct operands {
	u32 a[4], b[2];
};

inline float half_at(u32 pair, int i)
{
	return __half2float({ (unsigned short)(pair >> 16 * i) });
}

/* Element (row, k) of A and (k, column) of B lie where the tables of the PTX ISA say. */
inline void mma_f16(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
	const operands *of = lanes::gather(operands{ { a[0], a[1], a[2], a[3] }, { b0, b1 } });
	int g = (lanes::self() & 31) / 4, t = lanes::self() & 3;

	for (int i = 0; i < 4; i++) {
		int row = g + 8 * (i / 2), column = 2 * t + i % 2;
		for (int k = 0; k < 16; k++)
			c[i] += half_at(of[row % 8 * 4 + k % 8 / 2].a[row / 8 + k / 8 * 2], k % 2) *
				half_at(of[column * 4 + k % 8 / 2].b[k / 8], k % 2);
	}
}

inline void mma_e4m3(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
	const operands *of = lanes::gather(operands{ { a[0], a[1], a[2], a[3] }, { b0, b1 } });
	int g = (lanes::self() & 31) / 4, t = lanes::self() & 3;

	for (int i = 0; i < 4; i++) {
		int row = g + 8 * (i / 2), column = 2 * t + i % 2;
		for (int k = 0; k < 32; k++)
			c[i] += e4m3(of[row % 8 * 4 + k % 16 / 4].a[row / 8 + k / 16 * 2] >>
					     8 * (k % 4) &
				     255) *
				e4m3(of[column * 4 + k % 16 / 4].b[k / 16] >> 8 * (k % 4) & 255);
	}
}

inline void mma_s8u8(int (&d)[4], const u32 (&a)[4], u32 b0, u32 b1, const int (&c)[4])
{
	std::memmove(d, c, sizeof d);
	const operands *of = lanes::gather(operands{ { a[0], a[1], a[2], a[3] }, { b0, b1 } });
	int g = (lanes::self() & 31) / 4, t = lanes::self() & 3;

	for (int i = 0; i < 4; i++) {
		int row = g + 8 * (i / 2), column = 2 * t + i % 2;
		for (int k = 0; k < 32; k++)
			d[i] += (signed char)(of[row % 8 * 4 + k % 16 / 4]
						      .a[row / 8 + k / 16 * 2] >>
					      8 * (k % 4)) *
				(int)(unsigned char)(of[column * 4 + k % 16 / 4].b[k / 16] >>
						     8 * (k % 4));
	}
}

inline void copy_async(const copy &c)
{
	if (eager)
		c.make();
	else
		mine().open.push_back(c);
}

inline void copy_async_16(u32 to, const void *from, bool valid)
{
	copy_async({ to, from, 16, valid });
}

inline void copy_async_4(u32 to, const void *from, bool valid)
{
	copy_async({ to, from, 4, valid });
}

inline void commit()
{
	mine().groups.push_back(mine().open);
	mine().open.clear();
}

template <int PENDING> void wait()
{
	while (mine().groups.size() > PENDING) {
		for (const copy &c : mine().groups.front())
			c.make();
		mine().groups.pop_front();
	}
}

template <int THREADS> void barrier(int id)
{
	lanes::named_barrier(id, THREADS);
}

/*
 * A barrier in shared memory; its eight bytes there stay as they are but for a mark. Copies that
 * are to arrive land when somebody waits for them, no sooner, unless eager.
 */
struct mbarrier {
	int expected = 0, pending = 0;
	u32 phase = 0;
	std::vector<copy> landing;
	int landing_threads = 0;

	void arrive(int threads)
	{
		lanes::something_happened();
		pending -= threads;
		if (pending == 0) {
			pending = expected;
			phase++;
		}
	}

	void land()
	{
		for (const copy &c : landing)
			c.make();
		landing.clear();
		int threads = landing_threads;
		landing_threads = 0;
		if (threads > 0)
			arrive(threads);
	}
};

inline std::map<u32, mbarrier> &mbarriers()
{
	static std::map<u32, mbarrier> all;
	return all;
}

inline void mbarrier_init(u32 barrier, int count)
{
	mbarrier &b = mbarriers()[barrier];
	b = mbarrier();
	b.expected = b.pending = count;
	std::memset(shared + barrier, 0, 8);
}

inline void mbarrier_arrive(u32 barrier)
{
	mbarriers().at(barrier).arrive(1);
}

inline void mbarrier_arrive_after_copies(u32 barrier)
{
	mbarrier &b = mbarriers().at(barrier);
	b.landing.insert(b.landing.end(), mine().open.begin(), mine().open.end());
	mine().open.clear();
	b.landing_threads++;
	if (eager)
		b.land();
}

inline void mbarrier_wait(u32 barrier, u32 parity)
{
	mbarrier &b = mbarriers().at(barrier);
	lanes::wait_until([&] {
		if ((b.phase & 1) == parity)
			b.land();
		return (b.phase & 1) != parity;
	});
}

template <bool UPPER> u32 halves_of_e4m3(u32 four)
{
	u32 two = UPPER ? four >> 16 : four;
	__half2 h = __floats2half2_rn(e4m3(two & 255), e4m3(two >> 8 & 255));
	return (u32)h.y.bits << 16 | h.x.bits;
}

inline float exp2(float x)
{
	return std::exp2(x);
}

inline u32 exp2_half2(u32 x)
{
	__half2 y = __floats2half2_rn(std::exp2(half_at(x, 0)), std::exp2(half_at(x, 1)));
	return (u32)y.y.bits << 16 | y.x.bits;
}
} // namespace ptx

#endif
