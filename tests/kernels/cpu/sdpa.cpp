/*
 * The attention kernel as one setting of its macros has it, run on a CPU and compared with the
 * golden answer in double. What this proves: indices, layouts, masks, barriers, the copy ring, the
 * arithmetic, and that the shared memory a launch is given suffices. What it cannot: that the GPU's
 * instructions do what their manual says, and races that need true concurrency.
 *
 * Compiled with -D for each parameter, -DKERNEL= the source, quoted, and -DSHARED_BYTES=, the
 * task's expression without quotes; says nothing and exits 0 when all is well.
 */
#include "cuda_fp16.h"
#include "lanes.h"
#include "ptx.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

using std::max;
using std::min;

#include KERNEL

/* What the task makes of its expression: the language is C's, but for quotes around names. */
namespace task
{
enum { scalar, wmma, mma };
constexpr int shared_bytes = SHARED_BYTES;
} // namespace task

enum { SHARED_MAX = 256 << 10, GUARD = 128 * 128 };
extern "C" {
alignas(128) unsigned char shared[SHARED_MAX];
}
bool ptx::eager;

extern "C" void sdpa_golden_values(const double *q, const double *k, const double *v, float *o,
				   int b, int h, int s);

using quant::element;

/* What an element stands for, by the description of the format, in units of its head's absmax. */
static double decode(unsigned char e)
{
	return quant::is_e4m3 ? ptx::e4m3(e) / 448.0 : (e - 128) / 127.0;
}

static double decode(__half e)
{
	return __half2float(e);
}

/* The element for u / 127, or the nearest there is below. */
static void encode(int u, unsigned char &ret)
{
	if (!quant::is_e4m3) {
		ret = (unsigned char)(u + 128);
		return;
	}
	ret = 0x7e;
	while (ret > 0 && ptx::e4m3(ret) > std::abs(u) * (448.0f / 127))
		ret--;
	ret |= u < 0 ? 128 : 0;
}

static void encode(int u, __half &ret)
{
	ret = __float2half_rn((float)u / 32);
}

static bool same(element a, element b)
{
	return std::memcmp(&a, &b, sizeof a) == 0;
}

static bool same(const std::vector<element> &a, const std::vector<element> &b)
{
	return std::equal(a.begin(), a.end(), b.begin(),
			  [](element x, element y) { return same(x, y); });
}

struct inputs {
	int b, h, s;
	std::vector<element> q, k, v;
	std::vector<float> qa, ka, va;

	inputs(int b, int h, int s, float q_absmax) : b(b), h(h), s(s)
	{
		size_t n = (size_t)b * h * s * param::head_dim;
		for (std::vector<element> *x : { &q, &k, &v })
			x->resize(n);
		fill();
		qa.assign((size_t)b * h, q_absmax);
		ka.assign((size_t)b * h, 4.0f);
		va.assign((size_t)b * h, 3.5f);
		qa[0] = 0; /* as of a head of zeros, whose scale is to be 1 */
		va.back() = 0.5f;
	}

	/* Other values at the same place. */
	void fill()
	{
		for (std::vector<element> *x : { &q, &k, &v })
			for (element &e : *x)
				encode(sample() - 128, e);
	}

	/* About normal, as the sum of four uniform numbers; a quarter of the range is its
	 * deviation. */
	static uint8_t sample()
	{
		static uint32_t state = 1;
		int sum = 0;
		for (int i = 0; i < 4; i++) {
			state = state * 1664525 + 1013904223;
			sum += (int)(state >> 24);
		}
		return (uint8_t)max(1, min(255, sum / 4));
	}
};

/* An order in which everything may happen on a GPU. */
struct order {
	bool backwards; /* the last warp runs first */
	bool eager;	/* copies are done as soon as they are begun */
};

/* The entry of KERNEL, with scales or without. */
static void call(const inputs &in, __half *o)
{
	kernel::attend(in.q.data(), in.k.data(), in.v.data(), in.qa.data(), in.ka.data(),
		       in.va.data(), o, in.b * in.h, in.s, shared);
}

static bool run(const inputs &in, const order &when, std::vector<__half> &o)
{
	ptx::eager = when.eager;
	const unsigned int tiles = (unsigned int)((in.s + param::tile_m - 1) / param::tile_m);
	const unsigned int heads = (unsigned int)(in.b * in.h);
	gridDim = { param::persistent ? min(tiles * heads, 3u) : tiles,
		    param::persistent ? 1 : heads, 1 };
	for (unsigned int y = 0; y < gridDim.y; y++)
		for (unsigned int x = 0; x < gridDim.x; x++) {
			std::memset(shared, 0xff, SHARED_MAX); /* NaN wherever nothing was stored */
			ptx::forget();
			blockIdx = { x, y, 0 };
			if (!lanes::run_block(param::threads, when.backwards,
					      [&] { call(in, o.data()); }))
				return false;
		}
	return true;
}

static int fail(const inputs &in, const char *what, double figure, double limit)
{
	std::printf("(%d,%d,%d,%d): %s %g, limit %g\n", in.b, in.h, in.s, param::head_dim, what,
		    figure, limit);
	return 1;
}

static std::vector<double> values(const std::vector<element> &x, const std::vector<float> &absmax)
{
	const size_t each = x.size() / absmax.size();
	std::vector<double> ret;

	for (size_t i = 0; i < x.size(); i++) {
		float scale = absmax[i / each] > 1e-6f ? absmax[i / each] : 1;
		ret.push_back(decode(x[i]) * (quant::is_f16 ? 1 : scale));
	}
	return ret;
}

static int compare(const inputs &in, const std::vector<__half> &o)
{
	size_t n = in.q.size();
	std::vector<float> want(n);
	std::vector<double> q = values(in.q, in.qa), k = values(in.k, in.ka);
	std::vector<double> v = values(in.v, in.va);
	double diff = 0, square = 0, worst = 0;

	sdpa_golden_values(q.data(), k.data(), v.data(), want.data(), in.b, in.h, in.s);
	for (size_t i = 0; i < n; i++) {
		double d = __half2float(o[i]) - want[i];
		if (std::isnan(d))
			return fail(in, "element is not a number:", (double)i, 0);
		diff += d * d;
		square += (double)want[i] * want[i];
		worst = std::fmax(worst, std::fabs(d));
	}
	if (std::sqrt(diff / square) > 2e-3)
		return fail(in, "rel_l2", std::sqrt(diff / square), 2e-3);
	if (worst > 0.01)
		return fail(in, "max_abs", worst, 0.01);
	for (size_t i = n; i < o.size(); i++)
		if (o[i].bits != 0xffff)
			return fail(in, "written past the end, element", (double)(i - n), 0);
	return 0;
}

static int launch(const inputs &in, const order &when, std::vector<__half> &o)
{
	const std::vector<element> q = in.q, k = in.k, v = in.v;

	if (!run(in, when, o))
		return fail(in, "threads wait for ever", 0, 0);
	for (int i = task::shared_bytes; i < SHARED_MAX; i++)
		if (shared[i] != 0xff)
			return fail(in, "shared byte written:", i, task::shared_bytes);
	if (!same(in.q, q) || !same(in.k, k) || !same(in.v, v))
		return fail(in, "an input has changed", 0, 0);
	return compare(in, o);
}

/*
 * As the tuner does it: twice on an output without numbers, for the same bits. Then once more on
 * other inputs, where the output still holds the answer to the last.
 */
static int check(inputs &in)
{
	std::vector<__half> first(in.q.size() + GUARD, __half{ 0xffff }), o = first;

	if (launch(in, { false, false }, first) || launch(in, { true, true }, o))
		return 1;
	for (size_t i = 0; i < o.size(); i++)
		if (o[i].bits != first[i].bits)
			return fail(in, "a second launch gave other bits, element", (double)i, 0);
	in.fill();
	return launch(in, { false, true }, o);
}

static int check(int b, int h, int s, float q_absmax)
{
	inputs in(b, h, s, q_absmax);

	return check(in);
}

/* The largest scores there are: 2^20, beyond what a half holds. */
static int check_saturated()
{
	inputs in(1, 1, 37, 4);

	encode(127, in.q[0]);
	in.q.assign(in.q.size(), in.q[0]);
	in.k.assign(in.k.size(), in.q[0]);
	return check(in);
}

/* About one value a row: scores that lie far apart, and weights of 0 and 1. */
static int check_sparse()
{
	inputs in(1, 1, 100, 24);

	in.ka.assign(1, 24.0f);
	in.qa = in.ka;
	for (std::vector<element> *x : { &in.q, &in.k, &in.v })
		for (element &e : *x)
			encode(decode(e) > 0.49 ? 127 : 0, e);
	return check(in);
}

/*
 * Sums are rescaled by exponential(0) for each key tile without a new maximum, so anything but 1
 * there grows with the sequence. Elsewhere a weight may be off by what rounding it to half costs.
 */
static int check_exponential()
{
	const double base = param::exp == param::exp_kind::expf ? 1 / std::log(2.0) : 1;

	if (softmax::exponential(0.0f) != 1) {
		std::printf("exponential(0): %.9g, not 1\n", softmax::exponential(0.0f));
		return 1;
	}
	for (float x = 0; x > -80; x -= 0x1p-9f) {
		double want = std::exp2(base * x), off = softmax::exponential(x) / want - 1;
		if (std::fabs(off) > 0x1p-12) {
			std::printf("exponential(%g): relative error %g, limit %g\n", x, off,
				    0x1p-12);
			return 1;
		}
	}
	return 0;
}

int main()
{
	if (task::shared_bytes != family::shared_bytes) {
		std::printf("shared bytes: the task says %d, the kernel %d\n", task::shared_bytes,
			    family::shared_bytes);
		return 1;
	}
	return check_exponential() || check(1, 1, 1, 4) || check(2, 1, 37, 4) ||
	       check_saturated() || check_sparse() || check(1, 1, 129, 4) || check(1, 1, 260, 30);
}
