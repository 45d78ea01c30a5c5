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
