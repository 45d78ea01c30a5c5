#include "runtime/cuda_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "runtime/cuda.h"
#include "runtime/cuda_data.h"
#include "runtime/cuda_inputs.h"
#include "runtime/nvrtc.h"

static const char verify_text[] =
#include "kernels/verify.cu.inc"
	;

static const struct {
	enum device_attr attr;
	int attribute; /* CUdevice_attribute */
} attributes[] = {
	{ DEVICE_SM_COUNT, 16 },	{ DEVICE_WARP_SIZE, 10 },
	{ DEVICE_MAX_THREADS, 1 },	{ DEVICE_MAX_SHARED_BYTES, 97 },
	{ DEVICE_SM_SHARED_BYTES, 81 }, { DEVICE_SM_REGISTERS, 82 },
	{ DEVICE_SM_THREADS, 39 },	{ DEVICE_L2_BYTES, 38 },
	{ DEVICE_MAX_GRID_X, 5 },	{ DEVICE_MAX_GRID_Y, 6 },
	{ DEVICE_CLOCK_KHZ, 13 },	{ DEVICE_COMPUTE_MAJOR, 75 },
	{ DEVICE_COMPUTE_MINOR, 76 },
};

/* Older or other drivers may not tell these: then they are 0. */
static void describe_memory(const struct cuda_driver *cu, int handle, struct device *d)
{
	int khz, bits;

	if (cu->device_attribute(&khz, 36, handle) == CUDA_OK &&
	    cu->device_attribute(&bits, 37, handle) == CUDA_OK) {
		d->attr[DEVICE_MEMORY_CLOCK_KHZ] = khz;
		d->attr[DEVICE_MEMORY_BUS_BITS] = bits;
	}
}

static void format_uuid(const struct cuda_uuid *u, char ret[64])
{
	int n = snprintf(ret, 64, "GPU-");

	for (int i = 0; i < 16; i++)
		n += snprintf(ret + n, 64 - (size_t)n, "%s%02x",
			      i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u->bytes[i]);
}

static void describe_driver(const struct cuda_driver *cu, char *ret, size_t size)
{
	int version = 0;

	if (nvml_driver_version(ret, size))
		return;
	if (cu->driver_version(&version) == CUDA_OK)
		snprintf(ret, size, "CUDA %d.%d", version / 1000, version % 1000 / 10);
	else
		snprintf(ret, size, "unknown");
}

int cuda_describe(const struct cuda_driver *cu, int ordinal, struct device *ret, struct err *e)
{
	struct device d = { .ordinal = ordinal };
	struct cuda_uuid uuid = { { 0 } };
	size_t memory = 0;
	int handle, result = cu->device_get(&handle, ordinal);

	if (result == CUDA_OK)
		result = cu->device_name(d.name, sizeof d.name, handle);
	if (result == CUDA_OK)
		result = cu->device_uuid(&uuid, handle);
	if (result == CUDA_OK)
		result = cu->device_memory(&memory, handle);
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0] && result == CUDA_OK; i++) {
		int value;

		result = cu->device_attribute(&value, attributes[i].attribute, handle);
		if (result == CUDA_OK)
			d.attr[attributes[i].attr] = value;
	}
	if (cuda_check(cu, result, e, "asking for a device") < 0)
		return err_wrap(e, "device %d", ordinal);
	d.attr[DEVICE_MEMORY_BYTES] = (int64_t)memory;
	describe_memory(cu, handle, &d);
	format_uuid(&uuid, d.uuid);
	describe_driver(cu, d.driver, sizeof d.driver);
	*ret = d;
	return 0;
}

int room_reserve(struct session *s, struct room *r, int64_t bytes)
{
	struct room grown = { .bytes = bytes };
	int result;

	if (bytes <= r->bytes)
		return CUDA_OK;
	if (r->at) {
		s->cu.free(r->at);
		*r = (struct room){ 0 };
	}
	result = s->cu.alloc(&grown.at, (size_t)bytes);
	if (result == CUDA_OK)
		*r = grown;
	return result;
}

/* Compiled once in a process for an architecture: a worker that opens one problem after another
 * need not wait again. */
static struct {
	char arch[32];
	struct nvrtc_result compiled;
} kernels;

/* The names of the element types, as verify.cu knows them, come from the one list. */
static int compile_kernels(const char *arch, const struct nvrtc *n, struct err *e)
{
	static const char *const ids[] = {
#define X(id, name, c, bytes) #id,
		DTYPE_MAP(X)
#undef X
	};
	char types[DTYPE_COUNT][32], target[64];
	const char *options[DTYPE_COUNT + 3];
	struct nvrtc_job job = { .text = verify_text, .name = "verify.cu", .options = options };

	for (int i = 0; i < DTYPE_COUNT; i++) {
		snprintf(types[i], sizeof types[i], "-DDTYPE_%s=%d", ids[i], i);
		options[job.n_options++] = types[i];
	}
	snprintf(target, sizeof target, "--gpu-architecture=%s", arch);
	options[job.n_options++] = target;
	options[job.n_options++] = "-std=c++17";
	options[job.n_options++] = "--fmad=false";
	nvrtc_result_release(&kernels.compiled);
	if (nvrtc_compile(n, &job, &kernels.compiled, e) < 0)
		return (int)e->code;
	if (!kernels.compiled.cubin)
		return err_set(e, ERR_FAILED, "the comparing kernels do not compile for %s: %s",
			       arch, kernels.compiled.log);
	snprintf(kernels.arch, sizeof kernels.arch, "%s", arch);
	return 0;
}

static int pick_arch(struct session *s, const struct nvrtc **ret, struct err *e)
{
	int archs[NVRTC_ARCHS_MAX];
	int r = nvrtc_load(ret, e);

	if (r < 0)
		return r;
	return cuda_arch_pick((int)s->device.attr[DEVICE_COMPUTE_MAJOR],
			      (int)s->device.attr[DEVICE_COMPUTE_MINOR], archs,
			      nvrtc_archs(*ret, archs), s->device.arch, e);
}

static int open_context(struct session *s, struct err *e)
{
	int result = s->cu.context_retain(&s->context, s->handle);

	if (result == CUDA_OK)
		result = s->cu.context_set(s->context);
	if (result == CUDA_OK)
		result = s->cu.stream_create(&s->stream, CUDA_STREAM_NON_BLOCKING);
	if (result == CUDA_OK)
		result = s->cu.stream_create(&s->aside, CUDA_STREAM_NON_BLOCKING);
	if (result == CUDA_OK)
		result = s->cu.event_create(&s->start, CUDA_EVENT_DEFAULT);
	if (result == CUDA_OK)
		result = s->cu.event_create(&s->end, CUDA_EVENT_DEFAULT);
	if (result == CUDA_OK)
		result = s->cu.event_create(&s->gate, CUDA_EVENT_DEFAULT);
	return cuda_check(&s->cu, result, e, "opening the device");
}

static int load_kernels(struct session *s, struct err *e)
{
	const struct {
		struct cuda_function **ret;
		const char *name;
	} entries[] = {
		{ &s->compare, "evo_compare" }, { &s->fold, "evo_fold" },
		{ &s->same, "evo_same" },	{ &s->spin, "evo_spin" },
		{ &s->stamp, "evo_stamp" },	{ &s->crowd, "evo_crowd" },
		{ &s->await, "evo_await" },
	};
	int result = s->cu.module_load(&s->module, kernels.compiled.cubin);

	for (size_t i = 0; i < sizeof entries / sizeof entries[0] && result == CUDA_OK; i++)
		result = s->cu.module_function(entries[i].ret, s->module, entries[i].name);
	return cuda_check(&s->cu, result, e, "loading the comparing kernels");
}

/* Results of parts that go on side by side; each negative with why. */
struct opening {
	struct session *s;
	const struct nvrtc *nvrtc;
	const struct problem *p;
	int opened, filled, compiled;
	struct err why_opened, why_filled, why_compiled;
};

/* Each takes some tenths of a second, and neither needs the other. */
static void open_part(void *ctx, int64_t part)
{
	struct opening *o = ctx;

	if (part == 0) {
		o->opened = open_context(o->s, &o->why_opened);
		if (o->opened == 0 && o->p)
			o->filled = inputs_fill(o->s, o->p, &o->why_filled);
	} else if (!kernels.compiled.cubin || strcmp(kernels.arch, o->s->device.arch) != 0) {
		o->compiled = compile_kernels(o->s->device.arch, o->nvrtc, &o->why_compiled);
	}
}

/* The context is made current here, too: the parts may have been another thread's. */
static int open_parts(struct opening *o, struct err *e)
{
	struct session *s = o->s;
	int r;

	parallel_for(2, open_part, o);
	if (o->opened < 0) {
		*e = o->why_opened;
		return o->opened;
	}
	r = cuda_check(&s->cu, s->cu.context_set(s->context), e, "opening the device");
	if (r == 0 && o->compiled < 0) {
		*e = o->why_compiled;
		r = o->compiled;
	}
	return r < 0 ? r : load_kernels(s, e);
}

/* Where only the problem's inputs could not be filled, *ret is a session without a problem, and so
 * it is where p is NULL. */
static int open_device(int ordinal, const struct problem *p, struct session **ret, struct err *e)
{
	struct session *s = mem_alloc(sizeof *s);
	struct opening o = { .s = s, .p = p };
	int r = cuda_driver_load(&s->cu, e);

	if (r < 0) {
		free(s);
		return r;
	}
	r = cuda_check(&s->cu, s->cu.init(0), e, "starting CUDA");
	if (r == 0)
		r = cuda_check(&s->cu, s->cu.device_get(&s->handle, ordinal), e,
			       "finding a device");
	if (r == 0)
		r = cuda_describe(&s->cu, ordinal, &s->device, e);
	if (r == 0)
		r = pick_arch(s, &o.nvrtc, e);
	if (r == 0)
		r = open_parts(&o, e);
	if (r < 0) {
		cuda_close(s);
		return r;
	}
	*ret = s;
	if (o.filled < 0)
		*e = o.why_filled;
	return o.filled;
}

static int run_references(struct session *s, struct err *e)
{
	int r = references_load(s, e);

	for (int i = 0; i < s->n_sets && r == 0; i++)
		if (s->p->shapes[s->sets[i].shape].check)
			r = dataset_expect(s, &s->sets[i], e);
	return r;
}

/* What cuda_warm opened, until cuda_open takes it. */
static struct session *warm;

int cuda_warm(int ordinal, const struct problem *p, struct err *e)
{
	if (!warm || warm->device.ordinal != ordinal || warm->poisoned) {
		cuda_close(warm);
		warm = NULL;
		return open_device(ordinal, p, &warm, e);
	}
	inputs_drop(warm);
	return p ? inputs_fill(warm, p, e) : 0;
}

int cuda_open(int ordinal, const struct problem *p, struct session **ret, struct err *e)
{
	bool filled = warm && warm->device.ordinal == ordinal && warm->p == p;
	struct session *s;
	int r = filled ? 0 : cuda_warm(ordinal, p, e);

	if (r < 0)
		return r;
	s = warm;
	warm = NULL;
	r = run_references(s, e);
	if (r < 0) {
		cuda_close(s);
		return r;
	}
	s->nvml = nvml_open(s->device.uuid);
	*ret = s;
	return 0;
}

static void release_rooms(struct session *s)
{
	struct room *rooms[] = { &s->arena, &s->first, &s->scratch, &s->work, &s->results,
				 &s->flush, &s->turns, &s->crowds,  &s->far,  &s->stamps };

	for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
		if (rooms[i]->at)
			s->cu.free(rooms[i]->at);
}

/* After a fault every call fails and the driver has already let go; that is no reason to stop. */
void cuda_close(struct session *s)
{
	if (!s)
		return;
	references_unload(s);
	inputs_drop(s);
	release_rooms(s);
	if (s->module)
		s->cu.module_unload(s->module);
	if (s->start)
		s->cu.event_destroy(s->start);
	if (s->end)
		s->cu.event_destroy(s->end);
	if (s->gate)
		s->cu.event_destroy(s->gate);
	if (s->stream)
		s->cu.stream_destroy(s->stream);
	if (s->aside)
		s->cu.stream_destroy(s->aside);
	if (s->context)
		s->cu.context_release(s->handle);
	nvml_close(s->nvml);
	free(s);
}
