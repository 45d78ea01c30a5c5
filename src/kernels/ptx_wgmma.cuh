#ifndef PTX_WGMMA_CUH
#define PTX_WGMMA_CUH

/*
 * The instructions of sm_90a for products by warpgroups, beside those of sdpa/ptx.cuh. Tests
 * replace this file, as they do that one, to run the kernel on a CPU. Layouts of fragments and
 * descriptors: PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions".
 */
namespace ptx
{
typedef unsigned int u32;
typedef unsigned long long u64;

/* What was written to shared memory before, as this thread sees it, is seen by its wgmma. */
__device__ inline void fence_async()
{
	asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/* The registers of each thread of this warpgroup, a multiple of 8, from 24 to 256. */
template <int COUNT> __device__ inline void raise_registers()
{
	asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
}

template <int COUNT> __device__ inline void lower_registers()
{
	asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
}

/* Registers written before are seen by the wgmma that follow. */
__device__ inline void wgmma_fence()
{
	asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

__device__ inline void wgmma_commit()
{
	asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

/* Waits until at most PENDING groups are unfinished. */
template <int PENDING> __device__ inline void wgmma_wait()
{
	asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}

/* Keeps the compiler from moving what it does with an accumulator across this line. */
template <int N> __device__ inline void pin(float (&x)[N])
{
#pragma unroll
	for (int i = 0; i < N; i++)
		asm volatile("" : "+f"(x[i])::"memory");
}

/*
 * A matrix in shared memory: address and strides in bytes; swizzle 0, 64 or 128 bytes. Rows that run
 * along K and are as long as the swizzle have a leading stride of 16, and for stride that from one
 * group of 8 rows to the next. Only the lower half knows the address, which moved() changes.
 */
class descriptor
{
	u32 low, high;

      public:
	__device__ descriptor(u32 address, u32 leading, u32 stride, int swizzle)
	    : low((address >> 4 & 0x3fff) | leading >> 4 << 16),
	      high(stride >> 4 | (swizzle == 128  ? 1u
				  : swizzle == 64 ? 2u
						  : 0u)
					 << 30)
	{
	}

	__device__ u64 moved(u32 bytes) const
	{
		u64 all;
		asm("mov.b64 %0, {%1, %2};" : "=l"(all) : "r"(low + bytes / 16), "r"(high));
		return all;
	}
};

#define PTX_4(x, i)   "+f"(x[i]), "+f"(x[i + 1]), "+f"(x[i + 2]), "+f"(x[i + 3])
#define PTX_16(x, i)  PTX_4(x, i), PTX_4(x, i + 4), PTX_4(x, i + 8), PTX_4(x, i + 12)
#define PTX_32(x, i)  PTX_16(x, i), PTX_16(x, i + 16)
#define PTX_64(x, i)  PTX_32(x, i), PTX_32(x, i + 32)
#define PTX_128(x, i) PTX_64(x, i), PTX_64(x, i + 64)
#define PTX_TO_15     "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15"
#define PTX_TO_31     PTX_TO_15 ",%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
#define PTX_TO_63                                                                                  \
	PTX_TO_31 ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%" \
		  "51,"                                                                            \
		  "%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"
#define PTX_TO_127                                                                         \
	PTX_TO_63                                                                          \
	",%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,%80,%81,%82,%"   \
	"83,"                                                                              \
	"%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95,%96,%97,%98,%99,%100,%101,%102,"  \
	"%103,%104,%105,%106,%107,%108,%109,%110,%111,%112,%113,%114,%115,%116,%117,%118," \
	"%119,%120,%121,%122,%123,%124,%125,%126,%127"
#define PTX_WGMMA(COLUMNS, ALL, A, B)                                                      \
	"{\n\t.reg .pred p;\n\tsetp.eq.b32 p, 0, 0;\n\t"                                   \
	"wgmma.mma_async.sync.aligned.m64n" COLUMNS "k16.f32.f16.f16 {" ALL "}, " A ", " B \
	", p, 1, 1, 0, 0;\n\t}"

/*
 * c += a b^T: 64 x 16 halves by the columns' 16 halves each, both in shared memory along K. As many
 * columns as the sums of a thread say: twice.
 */
__device__ inline void wgmma(float (&c)[16], u64 a, u64 b)
{
	asm volatile(PTX_WGMMA("32", PTX_TO_15, "%16", "%17")
		     : PTX_16(c, 0)
		     : "l"(a), "l"(b)
		     : "memory");
}

__device__ inline void wgmma(float (&c)[32], u64 a, u64 b)
{
	asm volatile(PTX_WGMMA("64", PTX_TO_31, "%32", "%33")
		     : PTX_32(c, 0)
		     : "l"(a), "l"(b)
		     : "memory");
}

__device__ inline void wgmma(float (&c)[64], u64 a, u64 b)
{
	asm volatile(PTX_WGMMA("128", PTX_TO_63, "%64", "%65")
		     : PTX_64(c, 0)
		     : "l"(a), "l"(b)
		     : "memory");
}

__device__ inline void wgmma(float (&c)[128], u64 a, u64 b)
{
	asm volatile(PTX_WGMMA("256", PTX_TO_127, "%128", "%129")
		     : PTX_128(c, 0)
		     : "l"(a), "l"(b)
		     : "memory");
}

#undef PTX_4
#undef PTX_16
#undef PTX_32
#undef PTX_64
#undef PTX_128
#undef PTX_WGMMA
} // namespace ptx

#endif
