#include "runtime/cuda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * "Technical Specifications per Compute Capability" in NVIDIA's CUDA C++ Programming Guide 13.0;
 * multiprocessors and cache are those of the card named, from its white paper.
 */
static const struct limits {
	const char *card;
	int capability;
	int shared_kib, sm_shared_kib, sm_threads, sm_count, l2_mib;
} limits[] = {
	{ "T4", 75, 64, 64, 1024, 40, 4 },
	{ "A100", 80, 163, 164, 2048, 108, 40 },
	{ "A40", 86, 99, 100, 1536, 84, 6 },
	{ "Jetson AGX Orin", 87, 163, 164, 1536, 16, 4 },
	{ "L40", 89, 99, 100, 1536, 142, 96 },
	{ "H100", 90, 227, 228, 2048, 132, 50 },
	{ "B200", 100, 227, 228, 2048, 148, 126 },
	{ "B300", 103, 227, 228, 2048, 148, 126 },
	{ "Jetson Thor", 110, 227, 228, 1536, 20, 32 },
	{ "RTX PRO 6000 Blackwell", 120, 99, 100, 1536, 188, 128 },
	{ "GB10", 121, 99, 100, 1536, 48, 24 },
};

static int capability_of(const char *arch)
{
	char *end;
	long n;

	if (strncmp(arch, "sm_", 3) != 0 || arch[3] < '1' || arch[3] > '9')
		return -1;
	n = strtol(arch + 3, &end, 10);
	if (strcmp(end, "") != 0 && strcmp(end, "a") != 0 && strcmp(end, "f") != 0)
		return -1;
	return n < 1000 ? (int)n : -1;
}

static void fill_assumed(const struct limits *l, const char *arch, struct device *d)
{
	int64_t *a = d->attr;

	memset(d, 0, sizeof *d);
	d->assumed = true;
	snprintf(d->name, sizeof d->name, "%s (assumed)", l->card);
	snprintf(d->arch, sizeof d->arch, "%s", arch);
	a[DEVICE_SM_COUNT] = l->sm_count;
	a[DEVICE_WARP_SIZE] = 32;
	a[DEVICE_MAX_THREADS] = 1024;
	a[DEVICE_MAX_SHARED_BYTES] = (int64_t)l->shared_kib << 10;
	a[DEVICE_SM_SHARED_BYTES] = (int64_t)l->sm_shared_kib << 10;
	a[DEVICE_SM_REGISTERS] = 65536;
	a[DEVICE_SM_THREADS] = l->sm_threads;
	a[DEVICE_L2_BYTES] = (int64_t)l->l2_mib << 20;
	a[DEVICE_MAX_GRID_X] = 2147483647;
	a[DEVICE_MAX_GRID_Y] = 65535;
	a[DEVICE_COMPUTE_MAJOR] = l->capability / 10;
	a[DEVICE_COMPUTE_MINOR] = l->capability % 10;
}

int cuda_assumed_device(const char *arch, struct device *ret, struct err *e)
{
	int capability = capability_of(arch);

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		if (limits[i].capability == capability) {
			fill_assumed(&limits[i], arch, ret);
			return 0;
		}
	}
	return err_set(e, ERR_INVALID,
		       "%s: the limits of this architecture are not known; give one of sm_75, "
		       "sm_80, sm_86, sm_87, sm_89, sm_90a, sm_100a, sm_103a, sm_110a, sm_120a, "
		       "sm_121a",
		       arch);
}

int cuda_arch_pick(int major, int minor, const int *supported, int n, char ret[32], struct err *e)
{
	int want = major * 10 + minor, best = 0;

	for (int i = 0; i < n; i++)
		if (supported[i] <= want && supported[i] / 10 == major && supported[i] > best)
			best = supported[i];
	if (!best)
		return err_set(e, ERR_MISSING,
			       "this NVRTC cannot compile for compute capability %d.%d; install "
			       "the NVRTC of a newer CUDA",
			       major, minor);
	snprintf(ret, 32, "sm_%d%s", best, best == want && want >= 90 ? "a" : "");
	return 0;
}
