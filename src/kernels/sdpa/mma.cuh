#pragma once

/*
 * The warp-wide instructions of the register path, as PTX names them. Of a warp's lanes, lane
 * 4 g + t holds rows g and g + 8 of the accumulator and its columns 2 t and 2 t + 1 (PTX ISA,
 * "Matrix Fragments for mma.m16n8k16" and "... m16n8k32").
 */
namespace mma
{
typedef unsigned int u32;

/* Four 8x8 matrices of 16-bit elements; lanes 8 i to 8 i + 7 give the row addresses of matrix i. */
__device__ inline void load(u32 (&ret)[4], u32 shared_address)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
		     : "=r"(ret[0]), "=r"(ret[1]), "=r"(ret[2]), "=r"(ret[3])
		     : "r"(shared_address)
		     : "memory");
}

__device__ inline void load_transposed(u32 (&ret)[4], u32 shared_address)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
		     : "=r"(ret[0]), "=r"(ret[1]), "=r"(ret[2]), "=r"(ret[3])
		     : "r"(shared_address)
		     : "memory");
}

/* c += a b: 16 x 16 by 16 x 8, halves into floats. */
__device__ inline void f16(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
	asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
	    "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
	    : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
	    : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/* c += a b: 16 x 32 by 32 x 8, signed by unsigned bytes into whole numbers. */
__device__ inline void s8u8(int (&c)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
	asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32 "
	    "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
	    : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
	    : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
} // namespace mma
