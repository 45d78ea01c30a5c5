#ifndef SDPA_PTX_CUH
#define SDPA_PTX_CUH

/*
 * Every instruction that C++ has no word for, and nothing else: tests replace this one file to run
 * the kernel on a CPU.
 *
 * Shared memory is addressed by 32-bit offsets, as these instructions want it. Of a warp's lanes,
 * lane 4 g + t holds rows g and g + 8 of an accumulator and its columns 2 t and 2 t + 1 (PTX ISA,
 * "Matrix Fragments for mma.m16n8k16" and "... m16n8k32").
 */
namespace ptx
{
typedef unsigned int u32;

__device__ inline u32 shared_address(const void *p)
{
	return static_cast<u32>(__cvta_generic_to_shared(p));
}

/* Four 8x8 matrices of 16-bit elements; lanes 8 i to 8 i + 7 give the row addresses of matrix i. */
__device__ inline void ldmatrix(u32 (&ret)[4], u32 shared_address)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
		     : "=r"(ret[0]), "=r"(ret[1]), "=r"(ret[2]), "=r"(ret[3])
		     : "r"(shared_address)
		     : "memory");
}

__device__ inline void ldmatrix_transposed(u32 (&ret)[4], u32 shared_address)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
		     : "=r"(ret[0]), "=r"(ret[1]), "=r"(ret[2]), "=r"(ret[3])
		     : "r"(shared_address)
		     : "memory");
}

/* c += a b: 16 x 16 by 16 x 8, halves into floats. */
__device__ inline void mma_f16(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
	asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
	    "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
	    : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
	    : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/* The same with 32 e4m3 numbers of each row and column, from sm_89 on. */
__device__ inline void mma_e4m3(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
	asm("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 "
	    "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
	    : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
	    : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/* Two e4m3 bytes, the lower or the upper ones of `four`, as halves; from sm_89 on. */
template <bool UPPER> __device__ inline u32 halves_of_e4m3(u32 four)
{
	u32 halves;
	if constexpr (UPPER)
		asm("{ .reg .b16 l, h; mov.b32 {l, h}, %1; cvt.rn.f16x2.e4m3x2 %0, h; }"
		    : "=r"(halves)
		    : "r"(four));
	else
		asm("{ .reg .b16 l, h; mov.b32 {l, h}, %1; cvt.rn.f16x2.e4m3x2 %0, l; }"
		    : "=r"(halves)
		    : "r"(four));
	return halves;
}

/*
 * d = a b + c: 16 x 32 by 32 x 8, signed by unsigned bytes into whole numbers. Where c is not d it
 * stays in its registers, which saves the four moves of a start value.
 */
__device__ inline void mma_s8u8(int (&d)[4], const u32 (&a)[4], u32 b0, u32 b1, const int (&c)[4])
{
	asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32 "
	    "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%11,%12,%13};"
	    : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
	    : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "r"(c[0]), "r"(c[1]),
	      "r"(c[2]), "r"(c[3]));
}

/* Starts the copy of 16 (or 4) bytes; if not valid, the target becomes zero. */
__device__ inline void copy_async_16(u32 to, const void *from, bool valid)
{
	asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from),
		     "r"(valid ? 16 : 0)
		     : "memory");
}

__device__ inline void copy_async_4(u32 to, const void *from, bool valid)
{
	asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(to), "l"(from),
		     "r"(valid ? 4 : 0)
		     : "memory");
}

__device__ inline void commit()
{
	asm volatile("cp.async.commit_group;" ::: "memory");
}

/* Waits until at most PENDING of this thread's groups are unfinished. */
template <int PENDING> __device__ inline void wait()
{
	asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}

/* A barrier of its own for some of a block's warps; id 1 to 15, THREADS of them a multiple of 32.
 */
template <int THREADS> __device__ inline void barrier(int id)
{
	asm volatile("barrier.sync %0, %1;" ::"r"(id), "n"(THREADS) : "memory");
}

/*
 * Barriers in shared memory, eight bytes each (PTX ISA, "mbarrier"): a phase is over when `count`
 * threads have arrived, and the next begins. A wait names the phase by its parity, 0 for the first;
 * the phase before the first counts as over.
 */
__device__ inline void mbarrier_init(u32 barrier, int count)
{
	asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(count)
		     : "memory");
}

__device__ inline void mbarrier_arrive(u32 barrier)
{
	asm volatile(
		"{ .reg .b64 state; mbarrier.arrive.shared::cta.b64 state, [%0]; }" ::"r"(barrier)
		: "memory");
}

/* Arrives when all copies that this thread has begun so far are done; does not wait for them. */
__device__ inline void mbarrier_arrive_after_copies(u32 barrier)
{
	asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(barrier)
		     : "memory");
}

__device__ inline void mbarrier_wait(u32 barrier, u32 parity)
{
	u32 over;
	do {
#if __CUDA_ARCH__ >= 900 /* sleeps for a while */
		asm volatile("{ .reg .pred p; "
			     "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; "
			     "selp.u32 %0, 1, 0, p; }"
			     : "=r"(over)
			     : "r"(barrier), "r"(parity)
			     : "memory");
#else
		asm volatile("{ .reg .pred p; "
			     "mbarrier.test_wait.parity.shared::cta.b64 p, [%1], %2; "
			     "selp.u32 %0, 1, 0, p; }"
			     : "=r"(over)
			     : "r"(barrier), "r"(parity)
			     : "memory");
#endif
	} while (!over);
}

/* 2^x, at most 2 ulp off (PTX ISA); results under 2^-126 become 0. */
__device__ inline float exp2(float x)
{
	float y;
	asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
	return y;
}

/* 2^x of two halves in one register. */
__device__ inline u32 exp2_half2(u32 x)
{
	u32 y;
	asm("ex2.approx.f16x2 %0, %1;" : "=r"(y) : "r"(x));
	return y;
}
} // namespace ptx

#endif
