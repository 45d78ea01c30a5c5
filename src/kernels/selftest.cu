/*
 * A kernel that misbehaves on request, for testing the tuner and not the GPU. The right answer is
 * out = 2 in; MODE says what happens instead:
 *
 *   fine              the right answer
 *   wrong             one element is off
 *   fault             writes to an address that is nobody's
 *   hang              loops for HANG_SECONDS, far past the task's deadline, then ends by itself
 *   nocompile         is not a program
 *   too_much_shared   asks for more static shared memory than there is: ptxas refuses
 *   big_launch        asks for more dynamic shared memory than there is, by the task's expression
 *   unwritten         leaves the last element as it was
 *   clobber           right, but changes its input on the way
 *   nondeterministic  right to five digits; the last bits come from the clock
 *
 * A variant can be told by its binary: it holds the symbol selftest_mode_MODE.
 */
#ifndef MODE
#define MODE fine
#endif
#ifndef BLOCK /* threads of a block */
#define BLOCK 128
#endif
#ifndef HANG_SECONDS
#define HANG_SECONDS 20
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

#define MODE_fine	      0
#define MODE_wrong	      1
#define MODE_fault	      2
#define MODE_hang	      3
#define MODE_nocompile	      4
#define MODE_too_much_shared  5
#define MODE_big_launch	      6
#define MODE_unwritten	      7
#define MODE_clobber	      8
#define MODE_nondeterministic 9
#define MODE_NUMBER	      JOIN(MODE_, MODE)

#if MODE_NUMBER == MODE_nocompile
#error "MODE=nocompile: this is not a program"
#endif

extern "C" {
__device__ int JOIN(selftest_mode_, MODE) = MODE_NUMBER;
}

#if MODE_NUMBER == MODE_hang
__device__ static void hang()
{
	unsigned long long begin, now;

	asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(begin));
	do
		asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
	while (now - begin < HANG_SECONDS * 1000000000ull);
}
#endif

#if MODE_NUMBER == MODE_too_much_shared
/* More than any architecture has: 256 KiB. */
__device__ static float exchange(float x)
{
	__shared__ volatile float room[65536];

	room[threadIdx.x] = x;
	__syncthreads();
	return room[threadIdx.x ^ 1];
}
#endif

extern "C" __global__ void __launch_bounds__(BLOCK) selftest(const float *in, float *out, int n)
{
	const int i = blockIdx.x * BLOCK + threadIdx.x;
	/* Read, so that the symbol stays in the binary. */
	const int mode = *static_cast<volatile int *>(&JOIN(selftest_mode_, MODE));
	float x;

	if (i >= n || mode != MODE_NUMBER)
		return;
	x = 2 * in[i];
#if MODE_NUMBER == MODE_wrong
	if (i == n / 2)
		x += 1;
#elif MODE_NUMBER == MODE_fault
	if (i == 0)
		*reinterpret_cast<volatile float *>(16) = x;
#elif MODE_NUMBER == MODE_hang
	hang();
#elif MODE_NUMBER == MODE_too_much_shared
	x = exchange(x);
#elif MODE_NUMBER == MODE_unwritten
	if (i == n - 1)
		return;
#elif MODE_NUMBER == MODE_clobber
	const_cast<float *>(in)[i] = x;
#elif MODE_NUMBER == MODE_nondeterministic
	x *= 1 + 1e-7f * (clock64() >> 4 & 63);
#endif
	out[i] = x;
}

/* What it should have been. */
extern "C" __global__ void selftest_reference(const float *in, float *out, int n)
{
	const int i = blockIdx.x * blockDim.x + threadIdx.x;

	if (i < n)
		out[i] = 2 * in[i];
}
