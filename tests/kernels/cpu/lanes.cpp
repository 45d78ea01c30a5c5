#include "lanes.h"

#include <ucontext.h>

#include <vector>

dim3 blockIdx, gridDim;

namespace lanes
{
enum { STACK_BYTES = 256 << 10, WARP = 32, DATA_MAX = 64 };

struct meeting {
	int arrived = 0;
	unsigned int round = 0;
	unsigned char data[2][WARP * DATA_MAX]; /* one is read while the next fills */
};

struct lane {
	ucontext_t context;
	std::vector<unsigned char> stack;
	bool done = false;
};

static std::vector<lane> all;
static std::vector<meeting> warps;
static meeting block;
static meeting named[16];
static ucontext_t scheduler;
static const std::function<void()> *program;
static int current;
static bool progress; /* since the lanes of a warp were asked last */
static int arrivals;  /* at any meeting, ever */

int self()
{
	return current;
}

static void yield()
{
	swapcontext(&all[(size_t)current].context, &scheduler);
}

static void meet(meeting &m, int expected)
{
	unsigned int round = m.round;

	progress = true;
	arrivals++;
	if (++m.arrived == expected) {
		m.arrived = 0;
		m.round++;
		return;
	}
	while (m.round == round)
		yield();
}

void block_barrier()
{
	meet(block, (int)all.size());
}

void named_barrier(int id, int threads)
{
	meet(named[id], threads);
}

void something_happened()
{
	progress = true;
	arrivals++;
}

void wait_until(const std::function<bool()> &holds)
{
	while (!holds())
		yield();
}

const unsigned char *exchange(const void *mine, size_t bytes)
{
	meeting &m = warps[(size_t)current / WARP];
	unsigned char *data = m.data[m.round & 1];

	std::memcpy(data + (size_t)(current % WARP) * bytes, mine, bytes);
	meet(m, WARP);
	return data;
}

static void enter()
{
	(*program)();
	all[(size_t)current].done = true;
	progress = true;
	arrivals++;
	yield();
}

static void prepare(int threads)
{
	all.resize((size_t)threads);
	warps.assign((size_t)threads / WARP, meeting());
	block = meeting();
	for (meeting &m : named)
		m = meeting();
	for (lane &l : all) {
		l.stack.resize(STACK_BYTES);
		l.done = false;
		getcontext(&l.context);
		l.context.uc_stack.ss_sp = l.stack.data();
		l.context.uc_stack.ss_size = l.stack.size();
		l.context.uc_link = nullptr;
		makecontext(&l.context, enter, 0);
	}
}

/* Resumes every lane of a warp until all have returned or wait for another warp; how many are left.
 */
static int run_warp(int warp)
{
	int left;

	do {
		progress = false;
		left = 0;
		for (current = warp * WARP; current < (warp + 1) * WARP; current++)
			if (!all[(size_t)current].done) {
				swapcontext(&scheduler, &all[(size_t)current].context);
				left += !all[(size_t)current].done;
			}
	} while (progress && left > 0);
	return left;
}

bool run_block(int threads, bool backwards, const std::function<void()> &body)
{
	int count = threads / WARP, left = threads;

	program = &body;
	prepare(threads);
	while (left > 0) {
		int before = arrivals;

		left = 0;
		for (int i = 0; i < count; i++)
			left += run_warp(backwards ? count - 1 - i : i);
		if (arrivals == before && left > 0)
			return false;
	}
	return true;
}
} // namespace lanes
