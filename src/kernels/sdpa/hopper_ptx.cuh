#pragma once

#include "../ptx_wgmma.cuh"

/*
 * The instructions that attention by warpgroups takes besides. Shared memory is addressed by 32-bit
 * offsets.
 */
namespace ptx
{
__device__ inline u32 shared_address(const void *p)
{
	return static_cast<u32>(__cvta_generic_to_shared(p));
}

/* The thread and block numbers, read anew each time: not kept in registers in between. */
__device__ inline int thread_again()
{
	u32 x;
	asm volatile("mov.u32 %0, %%tid.x;" : "=r"(x));
	return static_cast<int>(x);
}

__device__ inline u32 block_again()
{
	u32 x;
	asm volatile("mov.u32 %0, %%ctaid.x;" : "=r"(x));
	return x;
}

__device__ inline u32 block_y_again()
{
	u32 x;
	asm volatile("mov.u32 %0, %%ctaid.y;" : "=r"(x));
	return x;
}

/* Starts a copy of a multiple of 16 bytes, which counts towards what the barrier expects. */
__device__ inline void copy_bulk(u32 to, const void *from, u32 bytes, u32 barrier)
{
	asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
		     "[%0], [%1], %2, [%3];" ::"r"(to),
		     "l"(from), "r"(bytes), "r"(barrier)
		     : "memory");
}

__device__ inline uint4 load_shared(u32 from)
{
	uint4 v;
	asm volatile("ld.shared.v4.u32 {%0,%1,%2,%3}, [%4];"
		     : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
		     : "r"(from)
		     : "memory");
	return v;
}

__device__ inline void store_shared(u32 to, uint4 v)
{
	asm volatile("st.shared.v4.u32 [%0], {%1,%2,%3,%4};" ::"r"(to), "r"(v.x), "r"(v.y),
		     "r"(v.z), "r"(v.w)
		     : "memory");
}

__device__ inline void store_shared(u32 to, u32 x)
{
	asm volatile("st.shared.u32 [%0], %1;" ::"r"(to), "r"(x) : "memory");
}

__device__ inline void barrier_init(u32 barrier, u32 arrivals)
{
	asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals)
		     : "memory");
}

__device__ inline void barrier_arrive(u32 barrier)
{
	asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

/* Arrives, and lets the phase end only when so many bytes have come by copy_bulk. */
__device__ inline void barrier_expect(u32 barrier, u32 bytes)
{
	asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier),
		     "r"(bytes)
		     : "memory");
}

__device__ inline bool barrier_passed(u32 barrier, u32 parity)
{
	u32 passed;
	asm volatile("{\n\t.reg .pred p;\n\t"
		     "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n\t"
		     "selp.u32 %0, 1, 0, p;\n\t}"
		     : "=r"(passed)
		     : "r"(barrier), "r"(parity)
		     : "memory");
	return passed != 0;
}

/* Waits for the end of the phase of this parity; a phase that ended before counts. */
__device__ inline void barrier_wait(u32 barrier, u32 parity)
{
#ifdef WAIT_LIMIT_CYCLES
	long long start = clock64();
	while (!barrier_passed(barrier, parity))
		if (clock64() - start > WAIT_LIMIT_CYCLES)
			__trap();
#else
	while (!barrier_passed(barrier, parity))
		;
#endif
}

/* A barrier of its own for THREADS threads; 0 is that of __syncthreads(). */
template <int THREADS> __device__ inline void sync_some(int id)
{
	asm volatile("bar.sync %0, %1;" ::"r"(id), "n"(THREADS) : "memory");
}

template <int N> __device__ inline void pin(int (&x)[N])
{
#pragma unroll
	for (int i = 0; i < N; i++)
		asm volatile("" : "+r"(x[i])::"memory");
}

template <int N> __device__ inline void pin(u32 (&x)[N])
{
#pragma unroll
	for (int i = 0; i < N; i++)
		asm volatile("" : "+r"(x[i])::"memory");
}

#define PTX_ALL_32(C, x)                                                                          \
	C(x[0]), C(x[1]), C(x[2]), C(x[3]), C(x[4]), C(x[5]), C(x[6]), C(x[7]), C(x[8]), C(x[9]), \
		C(x[10]), C(x[11]), C(x[12]), C(x[13]), C(x[14]), C(x[15]), C(x[16]), C(x[17]),   \
		C(x[18]), C(x[19]), C(x[20]), C(x[21]), C(x[22]), C(x[23]), C(x[24]), C(x[25]),   \
		C(x[26]), C(x[27]), C(x[28]), C(x[29]), C(x[30]), C(x[31])
#define PTX_ALL_64(C, x)                                                                        \
	PTX_ALL_32(C, x), C(x[32]), C(x[33]), C(x[34]), C(x[35]), C(x[36]), C(x[37]), C(x[38]), \
		C(x[39]), C(x[40]), C(x[41]), C(x[42]), C(x[43]), C(x[44]), C(x[45]), C(x[46]), \
		C(x[47]), C(x[48]), C(x[49]), C(x[50]), C(x[51]), C(x[52]), C(x[53]), C(x[54]), \
		C(x[55]), C(x[56]), C(x[57]), C(x[58]), C(x[59]), C(x[60]), C(x[61]), C(x[62]), \
		C(x[63])
#define PTX_S8U8(COLUMNS, ALL, A, B, ADD)                                                \
	"{\n\t.reg .pred p;\n\tsetp.ne.b32 p, " ADD ", 0;\n\t"                           \
	"wgmma.mma_async.sync.aligned.m64n" COLUMNS "k32.s32.s8.u8 {" ALL "}, " A ", " B \
	", p;\n\t}"

/*
 * c (+)= a b^T: 64 x 32 signed bytes in registers by the columns' 32 unsigned bytes each, K-major.
 * As many columns as the sums of a thread say: twice.
 */
__device__ inline void wgmma_s8u8(int (&c)[32], const u32 (&a)[4], u64 b, bool add)
{
	asm volatile(PTX_S8U8("64", PTX_TO_31, "{%32,%33,%34,%35}", "%36", "%37")
		     : PTX_ALL_32("+r", c)
		     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add ? 1 : 0)
		     : "memory");
}

__device__ inline void wgmma_s8u8(int (&c)[64], const u32 (&a)[4], u64 b, bool add)
{
	asm volatile(PTX_S8U8("128", PTX_TO_63, "{%64,%65,%66,%67}", "%68", "%69")
		     : PTX_ALL_64("+r", c)
		     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add ? 1 : 0)
		     : "memory");
}

/* The same with a in shared memory, K-major. */
__device__ inline void wgmma_s8u8(int (&c)[32], u64 a, u64 b, bool add)
{
	asm volatile(PTX_S8U8("64", PTX_TO_31, "%32", "%33", "%34")
		     : PTX_ALL_32("+r", c)
		     : "l"(a), "l"(b), "r"(add ? 1 : 0)
		     : "memory");
}

__device__ inline void wgmma_s8u8(int (&c)[64], u64 a, u64 b, bool add)
{
	asm volatile(PTX_S8U8("128", PTX_TO_63, "%64", "%65", "%66")
		     : PTX_ALL_64("+r", c)
		     : "l"(a), "l"(b), "r"(add ? 1 : 0)
		     : "memory");
}

/* c += a b: 64 x 16 halves in registers by 16 x 64 halves, each of the 16 rows contiguous. */
__device__ inline void wgmma_f16(float (&c)[32], const u32 *a, u64 b)
{
	asm volatile("{\n\t.reg .pred p;\n\tsetp.eq.b32 p, 0, 0;\n\t"
		     "wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {" PTX_TO_31
		     "}, {%32,%33,%34,%35}, %36, p, 1, 1, 1;\n\t}"
		     : PTX_ALL_32("+f", c)
		     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b)
		     : "memory");
}

/* c += a b with 8 columns. */
__device__ inline void wgmma_f16_narrow(float (&c)[4], const u32 *a, u64 b)
{
	asm volatile("{\n\t.reg .pred p;\n\tsetp.eq.b32 p, 0, 0;\n\t"
		     "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%0,%1,%2,%3}, "
		     "{%4,%5,%6,%7}, %8, p, 1, 1, 0;\n\t}"
		     : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
		     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b)
		     : "memory");
}

/* 2^x, at most 2 ulp off (PTX ISA); results under 2^-126 become 0. */
__device__ inline float exp2(float x)
{
	float y;
	asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
	return y;
}
} // namespace ptx
