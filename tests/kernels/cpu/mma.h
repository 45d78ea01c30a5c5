#pragma once

/*
 * The part of nvcuda::wmma that the kernels use, 16 x 16 x 16 halves into floats. A lane of a
 * fragment holds eight elements; which ones is nobody's business, as with the real thing.
 */
#include "cuda_fp16.h"
#include "lanes.h"

namespace nvcuda
{
namespace wmma
{
enum layout_t { mem_row_major, mem_col_major };
struct row_major;
struct col_major;
struct matrix_a;
struct matrix_b;
struct accumulator;

template <typename USE, int, int, int, typename T, typename LAYOUT = void> struct fragment {
	T x[8]; /* lane l: elements 8 l to 8 l + 7, row after row */
};

inline int element(int i)
{
	return (lanes::self() & 31) * 8 + i;
}

template <typename USE, typename T>
void load_matrix_sync(fragment<USE, 16, 16, 16, T, row_major> &f, const T *p, unsigned int pitch)
{
	for (int i = 0; i < 8; i++)
		f.x[i] = p[(size_t)(element(i) / 16) * pitch + (size_t)(element(i) % 16)];
}

template <typename USE, typename T>
void load_matrix_sync(fragment<USE, 16, 16, 16, T, col_major> &f, const T *p, unsigned int pitch)
{
	for (int i = 0; i < 8; i++)
		f.x[i] = p[(size_t)(element(i) % 16) * pitch + (size_t)(element(i) / 16)];
}

typedef fragment<accumulator, 16, 16, 16, float> sums;

inline void load_matrix_sync(sums &f, const float *p, unsigned int pitch, layout_t)
{
	for (int i = 0; i < 8; i++)
		f.x[i] = p[(size_t)(element(i) / 16) * pitch + (size_t)(element(i) % 16)];
}

inline void store_matrix_sync(float *p, const sums &f, unsigned int pitch, layout_t)
{
	for (int i = 0; i < 8; i++)
		p[(size_t)(element(i) / 16) * pitch + (size_t)(element(i) % 16)] = f.x[i];
	__syncwarp();
}

inline void fill_fragment(sums &f, float x)
{
	for (float &y : f.x)
		y = x;
}

template <typename A, typename B> void mma_sync(sums &d, const A &a, const B &b, const sums &c)
{
	struct both {
		__half a[8], b[8];
	} mine;
	std::memcpy(mine.a, a.x, sizeof mine.a);
	std::memcpy(mine.b, b.x, sizeof mine.b);
	const both *of = lanes::gather(mine);

	for (int i = 0; i < 8; i++) {
		int row = element(i) / 16, column = element(i) % 16;
		float sum = c.x[i];
		for (int k = 0; k < 16; k++)
			sum += __half2float(of[(row * 16 + k) / 8].a[k % 8]) *
			       __half2float(of[(k * 16 + column) / 8].b[column % 8]);
		d.x[i] = sum;
	}
}
} // namespace wmma
} // namespace nvcuda
