#pragma once

#include <cuda_fp16.h>

#include "hopper_params.cuh"
#include "hopper_ptx.cuh"

/*
 * Where everything lies in shared memory. From the start: STAGES slots of K and then V; with
 * Q_IN_REGISTERS=0 each warpgroup's queries; STAGES pairs of K and V as bytes on their way; 256
 * bytes of ones; barriers. The merge of key groups uses the slots once they are done.
 */
namespace hopper
{
using param::consumers;
using param::head_dim;
using param::key_groups;
using param::row_groups;
using param::stages;
using param::tile_n;
using ptx::u32;
using ptx::u64;
typedef unsigned char u8;

constexpr int group = 128; /* threads of a warpgroup */
constexpr int k_bytes = tile_n * head_dim;
constexpr int v_bytes = 2 * k_bytes;
constexpr int raw_bytes = 2 * k_bytes;
constexpr int slot_bytes = k_bytes + v_bytes;
constexpr int ones_bytes = 256;
constexpr int slot_barriers = 2 + param::producers;
constexpr int barrier_bytes = 8 * slot_barriers * stages;
constexpr int merge_bytes = (key_groups - 1) * row_groups * (head_dim / 2 + 4) * group * 4;
constexpr int q_bytes = param::q_in_registers ? 0 : group / 2 * head_dim; /* a warpgroup's */
constexpr int ring_bytes = stages * (slot_bytes + raw_bytes) + consumers * q_bytes;
constexpr int shared_bytes =
	(ring_bytes > merge_bytes ? ring_bytes : merge_bytes) + ones_bytes + barrier_bytes;

constexpr int halves64 = head_dim / 64;	 /* 64-column halves of V and O */
constexpr int piece_row = head_dim / 16; /* 16-byte pieces of a row of bytes */
constexpr bool sum_by_mma = param::rowsum == param::rowsum_kind::mma;
constexpr bool plain = param::order == param::order_kind::plain;
constexpr bool overlap = param::order == param::order_kind::overlap;
constexpr bool by_sums = param::maximum == param::maximum_kind::first;
constexpr bool subnormal = param::dequant == param::dequant_kind::direct;

/* Addresses in shared memory; begins on a multiple of 1024 bytes. */
struct layout {
	u32 base;

	__device__ u32 k(int slot) const
	{
		return base + slot * slot_bytes;
	}
	__device__ u32 v(int slot) const
	{
		return base + slot * slot_bytes + k_bytes;
	}
	__device__ u32 q(int consumer) const
	{
		return base + stages * slot_bytes + consumer * q_bytes;
	}
	__device__ u32 raw(int slot) const
	{
		return q(consumers) + slot * raw_bytes;
	}
	__device__ u32 ones() const
	{
		return base + shared_bytes - barrier_bytes - ones_bytes;
	}
	__device__ u32 full(int slot) const
	{
		return base + shared_bytes - barrier_bytes + 8 * slot_barriers * slot;
	}
	__device__ u32 empty(int slot) const
	{
		return full(slot) + 8;
	}
	__device__ u32 arrived(int slot, int warp) const
	{
		return full(slot) + 16 + 8 * warp;
	}
};

/* A position in the ring: tile number t lies in slot t % STAGES, in phase t / STAGES. */
struct place {
	int slot;
	u32 phase;

	__device__ explicit place(int t) : slot(t % stages), phase(t / stages & 1)
	{
	}
	__device__ void advance(int by)
	{
		slot += by;
		if (slot >= stages) {
			slot -= stages;
			phase ^= 1;
		}
	}
};

__device__ inline u32 bits(__half2 h)
{
	return *reinterpret_cast<u32 *>(&h);
}
} // namespace hopper
