/*
 * A memory-bound kernel as one setting of its macros has it, run on a CPU on a few shapes and
 * compared with a golden answer in double. What this proves: that each element is read and written
 * once and at its place, masks, barriers, alignment and the arithmetic. Inputs begin and end at the
 * borders of their allocations, so that with -fsanitize=address a read beside them is found too.
 *
 * Compiled with -D for each parameter and -DKERNEL_SOURCE=, -DKERNEL_softmax, -DKERNEL_rmsnorm or
 * -DKERNEL_transpose; says nothing and exits 0 when all is well.
 */
#include "rows.h"

#include <memory>
#include <vector>

#include KERNEL_SOURCE

enum { GUARD = 64 }; /* elements behind an output that must stay as they are */

struct shape {
	int rows, columns;
};

static float sample()
{
	static uint32_t state = 1;
	float sum = 0;

	for (int i = 0; i < 4; i++) {
		state = state * 1664525 + 1013904223;
		sum += (float)(state >> 8) / (1 << 24) - 0.5f;
	}
	return 3 * sum;
}

template <typename T> struct array {
	size_t n;
	std::unique_ptr<T[]> at;

	/* As aligned as what an allocation on the device gives, as far as a kernel can tell. */
	explicit array(size_t n) : n(n), at(new T[n])
	{
	}
};

static int fail(shape s, const char *what, size_t i, double found, double expected)
{
	std::printf("%d x %d: %s %zu: %.9g, expected %.9g\n", s.rows, s.columns, what, i, found,
		    expected);
	return 1;
}

template <typename F> static bool launch(unsigned int x, unsigned int y, int threads, F body)
{
	gridDim = { x, y, 1 };
	for (unsigned int i = 0; i < x * y; i++) {
		blockIdx = { i % x, i / x, 0 };
		if (!lanes::run_block(threads, i % 2, body))
			return false;
	}
	return true;
}

#ifdef KERNEL_transpose
static int check(shape s)
{
	const size_t n = (size_t)s.rows * s.columns;
	array<float> in(n), out(n + GUARD);

	for (size_t i = 0; i < n; i++)
		in.at[i] = sample();
	for (size_t i = 0; i < n + GUARD; i++)
		out.at[i] = -1e9f;
	if (!launch((s.columns + TILE - 1) / TILE, (s.rows + TILE - 1) / TILE, LANES * ROWS,
		    [&] { transpose(in.at.get(), out.at.get(), s.rows, s.columns); }))
		return fail(s, "threads wait for ever", 0, 0, 0);
	for (size_t i = 0; i < n; i++)
		if (out.at[i % s.columns * s.rows + i / s.columns] != in.at[i])
			return fail(s, "element", i, out.at[i % s.columns * s.rows + i / s.columns],
				    in.at[i]);
	for (size_t i = n; i < n + GUARD; i++)
		if (out.at[i] != -1e9f)
			return fail(s, "past the end", i - n, out.at[i], -1e9);
	return 0;
}
#else
static double value(uint16_t bits)
{
	return __half2float({ bits });
}

/* The right answer to row r, with the inputs as they are after rounding. */
static std::vector<double> golden(const uint16_t *row, const uint16_t *weight, int columns)
{
	std::vector<double> want((size_t)columns);
	double most = -1e30, sum = 0;

	for (int c = 0; c < columns; c++)
		most = std::fmax(most, value(row[c]));
	for (int c = 0; c < columns; c++) {
#ifdef KERNEL_softmax
		sum += want[c] = std::exp(value(row[c]) - most);
#else
		sum += value(row[c]) * value(row[c]);
		want[c] = value(row[c]) * value(weight[c]);
#endif
	}
	for (double &w : want)
#ifdef KERNEL_softmax
		w /= sum;
#else
		w /= std::sqrt(sum / columns + 1e-5);
#endif
	(void)weight;
	return want;
}

static int compare(shape s, const uint16_t *in, const uint16_t *weight, const uint16_t *out)
{
	double diff = 0, square = 0;

	for (int r = 0; r < s.rows; r++) {
		const size_t first = (size_t)r * s.columns;
		const std::vector<double> want = golden(in + first, weight, s.columns);

		for (int c = 0; c < s.columns; c++) {
			const double found = value(out[first + c]), off = found - want[c];

			if (!(std::fabs(off) <= 1e-3 + 4e-3 * std::fabs(want[c])))
				return fail(s, "element", first + c, found, want[c]);
			diff += off * off;
			square += want[c] * want[c];
		}
	}
	if (std::sqrt(diff / square) > 2e-3)
		return fail(s, "relative L2 difference", 0, std::sqrt(diff / square), 2e-3);
	return 0;
}

static int check(shape s)
{
	const size_t n = (size_t)s.rows * s.columns;
	array<uint16_t> in(n), weight((size_t)s.columns), out(n + GUARD);

	for (size_t i = 0; i < n; i++)
		in.at[i] = __float2half_rn(2 * sample()).bits;
	for (int c = 0; c < s.columns; c++)
		weight.at[c] = __float2half_rn(1 + sample() / 8).bits;
	for (size_t i = 0; i < n + GUARD; i++)
		out.at[i] = 0xffff;
	if (!launch((s.rows + row::a_block - 1) / row::a_block, 1, BLOCK, [&] {
#ifdef KERNEL_softmax
		    softmax_f16(in.at.get(), out.at.get(), s.rows, s.columns);
#else
		    rmsnorm_f16(in.at.get(), weight.at.get(), out.at.get(), s.rows, s.columns);
#endif
	    }))
		return fail(s, "threads wait for ever", 0, 0, 0);
	for (size_t i = n; i < n + GUARD; i++)
		if (out.at[i] != 0xffff)
			return fail(s, "past the end", i - n, out.at[i], 0xffff);
	return compare(s, in.at.get(), weight.at.get(), out.at.get());
}
#endif

int main()
{
	static const shape shapes[] = { { 1, 1 },    { 7, 33 },	 { 3, 1000 }, { 5, 256 },
					{ 2, 4100 }, { 70, 72 }, { 33, 66 } };

	for (const shape &s : shapes)
		if (check(s))
			return 1;
	return 0;
}
