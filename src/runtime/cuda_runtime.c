#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "runtime/cuda.h"
#include "runtime/cuda_ceilings.h"
#include "runtime/cuda_compile.h"
#include "runtime/cuda_measure.h"
#include "runtime/cuda_session.h"
#include "runtime/nvrtc.h"

/* A device is told even where nothing can be compiled for it: doctor wants to say both. */
static void describe_compiler(struct device *d)
{
	int major, minor, archs[NVRTC_ARCHS_MAX];
	const struct nvrtc *n;
	struct err e;

	if (nvrtc_load(&n, &e) < 0) {
		snprintf(d->compiler, sizeof d->compiler, "no NVRTC");
		snprintf(d->arch, sizeof d->arch, "sm_%d%d", (int)d->attr[DEVICE_COMPUTE_MAJOR],
			 (int)d->attr[DEVICE_COMPUTE_MINOR]);
		return;
	}
	nvrtc_version(n, &major, &minor);
	snprintf(d->compiler, sizeof d->compiler, "NVRTC %d.%d", major, minor);
	if (cuda_arch_pick((int)d->attr[DEVICE_COMPUTE_MAJOR], (int)d->attr[DEVICE_COMPUTE_MINOR],
			   archs, nvrtc_archs(n, archs), d->arch, &e) < 0)
		snprintf(d->arch, sizeof d->arch, "sm_%d%d", (int)d->attr[DEVICE_COMPUTE_MAJOR],
			 (int)d->attr[DEVICE_COMPUTE_MINOR]);
}

static int probe(struct device **ret, int *ret_n, struct err *e)
{
	struct cuda_driver cu;
	struct device *devices;
	int n = 0, result, r = cuda_driver_load(&cu, e);

	if (r < 0)
		return r;
	result = cu.init(0);
	if (result == CUDA_OK)
		result = cu.device_count(&n);
	if (result == CUDA_NO_DEVICE || (result == CUDA_OK && n == 0))
		return err_set(e, ERR_MISSING,
			       "the NVIDIA driver is here but finds no device; look at nvidia-smi "
			       "and at CUDA_VISIBLE_DEVICES, or use --runtime host");
	r = cuda_check(&cu, result, e, "starting CUDA");
	if (r < 0)
		return r;
	devices = mem_array((size_t)n, sizeof *devices);
	for (int i = 0; i < n && r == 0; i++) {
		r = cuda_describe(&cu, i, &devices[i], e);
		if (r == 0)
			describe_compiler(&devices[i]);
	}
	if (r < 0) {
		free(devices);
		return r;
	}
	*ret = devices;
	*ret_n = n;
	return 0;
}

const struct runtime runtime_cuda = {
	.name = "cuda",
	.probe = probe,
	.compile = cuda_compile,
	.warm = cuda_warm,
	.open = cuda_open,
	.measure = cuda_measure,
	.close = cuda_close,
	.ceilings = cuda_ceilings,
};
