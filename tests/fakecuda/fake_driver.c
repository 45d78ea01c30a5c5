#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fakecuda.h"
#include "runtime/cuda_driver.h"

/* What is exported is what the runtime looks up, with its very types. */
#define X(member, symbol, arguments) FAKE_EXPORT int symbol arguments;
CUDA_SYMBOL_MAP(X)
#undef X

enum {
	NOT_INITIALIZED = 3,
	INVALID_DEVICE = 101,
	INVALID_IMAGE = 200,
	CAPTURE_UNSUPPORTED = 900,
	SHARED_DEFAULT = 48 << 10,
	SHARED_MAX = 227 << 10,
	HANG_SECONDS = 25,
};

#define MEMORY_BYTES ((size_t)8 << 30)

struct block {		    /* of device memory, or the host's; its bytes follow */
	struct block *next; /* of the host's */
	size_t bytes;
	_Alignas(256) char data[];
};

struct cuda_context {
	int users;
};

struct cuda_module {
	size_t bytes;
	struct cuda_function *functions;
	char *cubin;
	unsigned hash; /* of the bytes, so that a kernel's time is its own */
};

struct cuda_function {
	struct cuda_function *next;
	struct cuda_module *module;
	const struct fake_kernel *kernel;
	char *name;
	int shared_max;
};

struct operation { /* a launch; where function is NULL a copy, or a memset where from is too */
	struct cuda_function *function;
	struct fake_launch launch;
	void *to;
	const void *from;
	unsigned char byte;
	size_t bytes;
};

struct cuda_graph {
	struct operation *operations;
	int n;
};

struct cuda_exec {
	struct cuda_graph graph;
};

struct cuda_stream {
	struct cuda_graph *capture; /* NULL: it is not capturing */
};

struct cuda_event {
	double ns;
};

/* One device, one process, one thread. */
static struct {
	bool initialised;
	struct cuda_context context;
	size_t used;
	struct block *remote; /* the host's memory that it has */
	double ns;	      /* how far the device's clock has come */
	int sticky;	      /* after a fault every call answers this */
} state;

static bool is_sticky(int code)
{
	return code >= 700 && code <= 719 && code != CUDA_LAUNCH_OUT_OF_RESOURCES;
}

static int enter(const char *symbol)
{
	int code = fake_plan(symbol);

	if (is_sticky(code))
		state.sticky = code;
	return state.sticky ? state.sticky : code;
}

void fakecuda_reset(void)
{
	state.sticky = 0;
	fake_plan_reset();
}

#define ENTER()                                 \
	do {                                    \
		int code_ = enter(__func__);    \
		if (code_ != CUDA_OK)           \
			return code_;           \
		if (!state.initialised)         \
			return NOT_INITIALIZED; \
	} while (0)

int cuInit(unsigned flags)
{
	int code = enter(__func__);

	if (code == CUDA_OK && flags != 0)
		code = CUDA_INVALID_VALUE;
	if (code == CUDA_OK)
		state.initialised = true;
	return code;
}

int cuDriverGetVersion(int *ret)
{
	ENTER();
	*ret = 13000;
	return CUDA_OK;
}

static const struct {
	int code;
	const char *name, *text;
} errors[] = {
	{ CUDA_OK, "CUDA_SUCCESS", "no error" },
	{ CUDA_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument" },
	{ CUDA_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory" },
	{ NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error" },
	{ INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal" },
	{ INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid" },
	{ CUDA_NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found" },
	{ CUDA_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access" },
	{ CUDA_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure" },
	{ CUDA_UNKNOWN, "CUDA_ERROR_UNKNOWN", "unknown error" },
};

static int find_error(int result)
{
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (errors[i].code == result)
			return (int)i;
	return -1;
}

/* These two work in whatever state the context is. */
int cuGetErrorName(int result, const char **ret)
{
	int i = find_error(result);

	*ret = i < 0 ? NULL : errors[i].name;
	return i < 0 ? CUDA_INVALID_VALUE : fake_plan(__func__);
}

int cuGetErrorString(int result, const char **ret)
{
	int i = find_error(result);

	*ret = i < 0 ? NULL : errors[i].text;
	return i < 0 ? CUDA_INVALID_VALUE : fake_plan(__func__);
}

static int device_count(void)
{
	const char *n = getenv("FAKECUDA_DEVICES");

	return n ? atoi(n) : 1;
}

int cuDeviceGetCount(int *ret)
{
	ENTER();
	*ret = device_count();
	return CUDA_OK;
}

int cuDeviceGet(int *ret, int ordinal)
{
	ENTER();
	if (ordinal < 0 || ordinal >= device_count())
		return INVALID_DEVICE;
	*ret = ordinal;
	return CUDA_OK;
}

int cuDeviceGetName(char *ret, int len, int device)
{
	const char *name = getenv("FAKECUDA_NAME");

	ENTER();
	(void)device;
	snprintf(ret, (size_t)len, "%s", name ? name : "Stand-in GPU");
	return CUDA_OK;
}

int cuDeviceGetUuid_v2(struct cuda_uuid *ret, int device)
{
	const char *first = getenv("FAKECUDA_UUID");

	ENTER();
	memset(ret, 0xfa, sizeof *ret);
	if (first)
		ret->bytes[0] = (unsigned char)atoi(first);
	ret->bytes[15] = (unsigned char)device;
	return CUDA_OK;
}

int cuDeviceTotalMem_v2(size_t *ret, int device)
{
	ENTER();
	(void)device;
	*ret = MEMORY_BYTES;
	return CUDA_OK;
}

int cuDeviceGetAttribute(int *ret, int attribute, int device)
{
	static const int figures[][2] = {
		{ 1, 1024 },	    { 5, 2147483647 }, { 6, 65535 },	  { 10, 32 },
		{ 13, 1980000 },    { 16, 132 },       { 38, 50 << 20 },  { 39, 2048 },
		{ 75, 9 },	    { 76, 0 },	       { 81, 228 << 10 }, { 82, 65536 },
		{ 97, SHARED_MAX }, { 36, 3201000 },   { 37, 6144 },
	};

	ENTER();
	(void)device;
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
		if (figures[i][0] == attribute) {
			*ret = figures[i][1];
			return CUDA_OK;
		}
	}
	return CUDA_INVALID_VALUE;
}

int cuDevicePrimaryCtxRetain(struct cuda_context **ret, int device)
{
	ENTER();
	fake_tell("device", device);
	state.context.users++;
	*ret = &state.context;
	return CUDA_OK;
}

int cuDevicePrimaryCtxRelease_v2(int device)
{
	ENTER();
	(void)device;
	state.context.users--;
	return CUDA_OK;
}

int cuCtxSetCurrent(struct cuda_context *context)
{
	ENTER();
	return context == &state.context ? CUDA_OK : CUDA_INVALID_VALUE;
}

int cuMemGetInfo_v2(size_t *ret_free, size_t *ret_total)
{
	ENTER();
	*ret_free = MEMORY_BYTES - state.used;
	*ret_total = MEMORY_BYTES;
	return CUDA_OK;
}

static void *memory(cuda_ptr p)
{
	return (void *)(uintptr_t)p;
}

/* What is larger than any buffer of a test is pages that nobody touches: an allocator that checks
 * its users would mark them all. */
static bool is_large(size_t bytes)
{
	return bytes >= (size_t)16 << 20;
}

static struct block *take(size_t bytes)
{
	void *p;

	if (!is_large(bytes))
		return aligned_alloc(256, (bytes + 255) / 256 * 256);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		 -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void give_back(struct block *b)
{
	size_t bytes = sizeof *b + b->bytes;

	if (is_large(bytes))
		munmap(b, bytes);
	else
		free(b);
}

static int allocate(struct block **ret, size_t bytes)
{
	struct block *b;

	if (bytes == 0)
		return CUDA_INVALID_VALUE;
	if (bytes > MEMORY_BYTES - state.used)
		return CUDA_OUT_OF_MEMORY;
	b = take(sizeof *b + bytes);
	if (!b)
		return CUDA_OUT_OF_MEMORY;
	b->next = NULL;
	b->bytes = bytes;
	state.used += bytes;
	*ret = b;
	return CUDA_OK;
}

static struct block *block_of(void *data)
{
	return (void *)((char *)data - offsetof(struct block, data));
}

int cuMemAlloc_v2(cuda_ptr *ret, size_t bytes)
{
	struct block *b;
	int result;

	ENTER();
	result = allocate(&b, bytes);
	if (result == CUDA_OK)
		*ret = (cuda_ptr)(uintptr_t)b->data;
	return result;
}

/* Frees whatever the answer, so that a planned failure is no leak of the caller's. */
int cuMemFree_v2(cuda_ptr p)
{
	struct block *b = block_of(memory(p));

	state.used -= b->bytes;
	give_back(b);
	ENTER();
	return CUDA_OK;
}

int cuMemHostAlloc(void **ret, size_t bytes, unsigned flags)
{
	struct block *b;
	int result;

	(void)flags;
	ENTER();
	result = allocate(&b, bytes);
	if (result != CUDA_OK)
		return result;
	b->next = state.remote;
	state.remote = b;
	*ret = b->data;
	return CUDA_OK;
}

int cuMemFreeHost(void *p)
{
	struct block **at = &state.remote, *b = block_of(p);

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	return cuMemFree_v2((cuda_ptr)(uintptr_t)p);
}

bool fake_is_remote(const void *p)
{
	const char *at = p;

	for (const struct block *b = state.remote; b; b = b->next)
		if (at >= b->data && at < b->data + b->bytes)
			return true;
	return false;
}

int cuMemHostGetDevicePointer_v2(cuda_ptr *ret, void *host, unsigned flags)
{
	ENTER();
	(void)flags;
	*ret = (cuda_ptr)(uintptr_t)host;
	return CUDA_OK;
}

int cuMemcpyHtoDAsync_v2(cuda_ptr to, const void *from, size_t bytes, struct cuda_stream *stream)
{
	ENTER();
	if (stream->capture)
		return CAPTURE_UNSUPPORTED;
	memcpy(memory(to), from, bytes);
	return CUDA_OK;
}

int cuMemcpyDtoH_v2(void *to, cuda_ptr from, size_t bytes)
{
	ENTER();
	memcpy(to, memory(from), bytes);
	return CUDA_OK;
}

static double kernel_bytes(const struct operation *o)
{
	const struct fake_kernel *k = o->function->kernel;

	return k ? (double)k->bytes * (uint32_t)o->launch.values[k->count] : 0;
}

static double cost_ns(const struct operation *o)
{
	double blocks = (double)o->launch.blocks_x * o->launch.blocks_y;

	if (!o->function)
		return 1000 + (double)o->bytes / 4000;
	return kernel_bytes(o) / 4000 + 2000 + o->function->module->hash % 6000 +
	       ceil(blocks / 264) * 500 + fabs((double)o->launch.threads - 256) * 2;
}

static void misbehave(const struct operation *o)
{
	if (strcmp(o->function->name, "selftest") != 0)
		return;
	if (fake_has_mark(&o->launch, "selftest_mode_fault"))
		state.sticky = CUDA_ILLEGAL_ADDRESS;
	if (fake_has_mark(&o->launch, "selftest_mode_hang"))
		sleep(HANG_SECONDS);
}

static void execute(const struct operation *o)
{
	state.ns += cost_ns(o);
	if (o->from) {
		memcpy(o->to, o->from, o->bytes);
		return;
	}
	if (!o->function) {
		if (o->bytes < (size_t)16 << 20) /* flushing a cache that is not there */
			memset(o->to, o->byte, o->bytes);
		return;
	}
	misbehave(o);
	if (strcmp(o->function->name, "selftest") == 0)
		state.ns += fake_work_ns(&o->launch);
	if (o->function->kernel && !state.sticky)
		o->function->kernel->run(&o->launch);
}

static void submit(struct cuda_stream *stream, const struct operation *o)
{
	struct cuda_graph *g = stream->capture;

	if (!g) {
		execute(o);
		return;
	}
	g->operations = realloc(g->operations, ((size_t)g->n + 1) * sizeof *o);
	if (!g->operations)
		abort();
	g->operations[g->n++] = *o;
}

int cuMemcpyDtoDAsync_v2(cuda_ptr to, cuda_ptr from, size_t bytes, struct cuda_stream *stream)
{
	struct operation o = { .to = memory(to), .from = memory(from), .bytes = bytes };

	ENTER();
	submit(stream, &o);
	return CUDA_OK;
}

int cuMemsetD8Async(cuda_ptr to, unsigned char byte, size_t n, struct cuda_stream *stream)
{
	struct operation o = { .to = memory(to), .byte = byte, .bytes = n };

	ENTER();
	submit(stream, &o);
	return CUDA_OK;
}

/* How long a cubin is, from its section headers, which end it or nearly so. */
static size_t cubin_bytes(const unsigned char *image)
{
	uint64_t headers;
	uint16_t n, width;

	memcpy(&headers, image + 40, sizeof headers);
	memcpy(&width, image + 58, sizeof width);
	memcpy(&n, image + 60, sizeof n);
	return (size_t)headers + (size_t)width * n;
}

/* FNV-1a. */
static unsigned hash_of(const char *bytes, size_t n)
{
	unsigned h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)bytes[i]) * 16777619u;
	return h;
}

int cuModuleLoadData(struct cuda_module **ret, const void *image)
{
	struct cuda_module *m;

	ENTER();
	if (memcmp(image, "\177ELF", 4) != 0)
		return INVALID_IMAGE;
	m = calloc(1, sizeof *m);
	if (!m)
		abort();
	m->bytes = cubin_bytes(image);
	m->cubin = malloc(m->bytes);
	if (!m->cubin)
		abort();
	memcpy(m->cubin, image, m->bytes);
	m->hash = hash_of(m->cubin, m->bytes);
	*ret = m;
	return CUDA_OK;
}

int cuModuleUnload(struct cuda_module *module)
{
	while (module->functions) {
		struct cuda_function *f = module->functions;

		module->functions = f->next;
		free(f->name);
		free(f);
	}
	free(module->cubin);
	free(module);
	ENTER();
	return CUDA_OK;
}

int cuModuleGetFunction(struct cuda_function **ret, struct cuda_module *module, const char *name)
{
	struct cuda_function *f;
	char section[300];
	int len = snprintf(section, sizeof section, ".text.%s", name);

	ENTER();
	if (len >= (int)sizeof section ||
	    !memmem(module->cubin, module->bytes, section, (size_t)len + 1))
		return CUDA_NOT_FOUND;
	f = calloc(1, sizeof *f);
	if (!f)
		abort();
	f->module = module;
	f->name = strdup(name);
	f->kernel = fake_kernel_find(name);
	f->shared_max = SHARED_DEFAULT;
	f->next = module->functions;
	module->functions = f;
	*ret = f;
	return CUDA_OK;
}

int cuFuncGetAttribute(int *ret, int attribute, struct cuda_function *function)
{
	ENTER();
	switch (attribute) {
	case CUDA_FUNCTION_MAX_THREADS:
		*ret = 1024;
		return CUDA_OK;
	case CUDA_FUNCTION_REGISTERS:
		*ret = 16 + (int)(function->module->hash % 48);
		return CUDA_OK;
	case CUDA_FUNCTION_MAX_DYNAMIC_SHARED:
		*ret = function->shared_max;
		return CUDA_OK;
	default:
		*ret = 0;
		return CUDA_OK;
	}
}

int cuFuncSetAttribute(struct cuda_function *function, int attribute, int value)
{
	ENTER();
	if (attribute == CUDA_FUNCTION_CARVEOUT)
		return value >= -1 && value <= 100 ? CUDA_OK : CUDA_INVALID_VALUE;
	if (attribute != CUDA_FUNCTION_MAX_DYNAMIC_SHARED || value < 0 || value > SHARED_MAX)
		return CUDA_INVALID_VALUE;
	function->shared_max = value;
	return CUDA_OK;
}

int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *ret, struct cuda_function *function, int block,
						size_t shared_bytes)
{
	ENTER();
	(void)function;
	if (block < 1 || block > 1024)
		return CUDA_INVALID_VALUE;
	*ret = 2048 / block;
	if (shared_bytes && (size_t)SHARED_MAX / shared_bytes < (size_t)*ret)
		*ret = (int)(SHARED_MAX / shared_bytes);
	return CUDA_OK;
}

int cuLaunchKernel(struct cuda_function *function, unsigned grid_x, unsigned grid_y,
		   unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
		   unsigned shared_bytes, struct cuda_stream *stream, void **arguments,
		   void **extra)
{
	struct operation o = { .function = function };
	const char *widths = function->kernel ? function->kernel->widths : "";

	ENTER();
	if (!grid_x || !grid_y || !grid_z || !block_x || !block_y || !block_z || extra ||
	    block_x * block_y * block_z > 1024 || shared_bytes > (unsigned)function->shared_max)
		return CUDA_INVALID_VALUE;
	o.launch = (struct fake_launch){ .cubin = function->module->cubin,
					 .bytes = function->module->bytes,
					 .blocks_x = grid_x,
					 .blocks_y = grid_y,
					 .threads = block_x * block_y * block_z };
	for (int i = 0; widths[i]; i++)
		memcpy(&o.launch.values[i], arguments[i], (size_t)(widths[i] - '0'));
	submit(stream, &o);
	return CUDA_OK;
}

int cuStreamCreate(struct cuda_stream **ret, unsigned flags)
{
	ENTER();
	(void)flags;
	*ret = calloc(1, sizeof **ret);
	return *ret ? CUDA_OK : CUDA_OUT_OF_MEMORY;
}

static void graph_free(struct cuda_graph *g)
{
	if (g)
		free(g->operations);
	free(g);
}

int cuStreamDestroy_v2(struct cuda_stream *stream)
{
	graph_free(stream->capture);
	free(stream);
	ENTER();
	return CUDA_OK;
}

int cuStreamSynchronize(struct cuda_stream *stream)
{
	ENTER();
	return stream->capture ? CAPTURE_UNSUPPORTED : CUDA_OK;
}

/* What is queued is done at once. */
int cuStreamWaitEvent(struct cuda_stream *stream, struct cuda_event *event, unsigned flags)
{
	(void)event;
	(void)flags;
	ENTER();
	return stream->capture ? CAPTURE_UNSUPPORTED : CUDA_OK;
}

int cuStreamBeginCapture_v2(struct cuda_stream *stream, int mode)
{
	ENTER();
	(void)mode;
	if (stream->capture)
		return CAPTURE_UNSUPPORTED;
	stream->capture = calloc(1, sizeof *stream->capture);
	return stream->capture ? CUDA_OK : CUDA_OUT_OF_MEMORY;
}

/* Ends the capture whatever the answer, as the driver does. */
int cuStreamEndCapture(struct cuda_stream *stream, struct cuda_graph **ret)
{
	struct cuda_graph *g = stream->capture;
	int code = enter(__func__);

	stream->capture = NULL;
	if (code == CUDA_OK && g) {
		*ret = g;
		return CUDA_OK;
	}
	graph_free(g);
	return code != CUDA_OK ? code : CUDA_INVALID_VALUE;
}

int cuGraphDestroy(struct cuda_graph *graph)
{
	graph_free(graph);
	ENTER();
	return CUDA_OK;
}

int cuGraphInstantiateWithFlags(struct cuda_exec **ret, struct cuda_graph *graph,
				unsigned long long flags)
{
	size_t bytes = (size_t)graph->n * sizeof *graph->operations;
	struct cuda_exec *exec;

	ENTER();
	if (flags)
		return CUDA_INVALID_VALUE;
	exec = calloc(1, sizeof *exec);
	if (!exec)
		abort();
	exec->graph.n = graph->n;
	exec->graph.operations = malloc(bytes + 1);
	if (!exec->graph.operations)
		abort();
	if (bytes)
		memcpy(exec->graph.operations, graph->operations, bytes);
	*ret = exec;
	return CUDA_OK;
}

int cuGraphExecDestroy(struct cuda_exec *exec)
{
	free(exec->graph.operations);
	free(exec);
	ENTER();
	return CUDA_OK;
}

int cuGraphUpload(struct cuda_exec *exec, struct cuda_stream *stream)
{
	ENTER();
	(void)exec;
	return stream->capture ? CAPTURE_UNSUPPORTED : CUDA_OK;
}

static bool has_copies(const struct cuda_graph *g)
{
	for (int i = 0; i < g->n; i++)
		if (g->operations[i].from)
			return true;
	return false;
}

/* A kernel of a graph runs once, unless its inputs change: again it would write the same, and tests
 * want to be quick. */
int cuGraphLaunch(struct cuda_exec *exec, struct cuda_stream *stream)
{
	bool all = has_copies(&exec->graph);

	ENTER();
	if (stream->capture)
		return CAPTURE_UNSUPPORTED;
	for (int i = 0; i < exec->graph.n; i++) {
		if (all || i < 2)
			execute(&exec->graph.operations[i]);
		else
			state.ns += cost_ns(&exec->graph.operations[i % 2]);
	}
	return CUDA_OK;
}

int cuEventCreate(struct cuda_event **ret, unsigned flags)
{
	ENTER();
	(void)flags;
	*ret = calloc(1, sizeof **ret);
	return *ret ? CUDA_OK : CUDA_OUT_OF_MEMORY;
}

int cuEventDestroy_v2(struct cuda_event *event)
{
	free(event);
	ENTER();
	return CUDA_OK;
}

int cuEventRecord(struct cuda_event *event, struct cuda_stream *stream)
{
	ENTER();
	(void)stream;
	event->ns = state.ns;
	return CUDA_OK;
}

int cuEventSynchronize(struct cuda_event *event)
{
	ENTER();
	(void)event;
	return CUDA_OK;
}

int cuEventElapsedTime(float *ret_ms, struct cuda_event *start, struct cuda_event *end)
{
	ENTER();
	*ret_ms = (float)((end->ns - start->ns) / 1e6);
	return CUDA_OK;
}
