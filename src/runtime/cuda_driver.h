#ifndef RUNTIME_CUDA_DRIVER_H
#define RUNTIME_CUDA_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The CUDA driver, found at run time: nothing of CUDA is needed to build. One list names every
 * function used, under the name the library exports (the version suffixes are part of the driver's
 * stable interface since CUDA 3.2), and makes the table of pointers and the look-ups.
 */
typedef uint64_t cuda_ptr; /* an address on the device */

struct cuda_context;
struct cuda_module;
struct cuda_function;
struct cuda_stream;
struct cuda_event;
struct cuda_graph;
struct cuda_exec; /* an instantiated graph */

struct cuda_uuid {
	unsigned char bytes[16];
};

#define CUDA_SYMBOL_MAP(X)                                                                       \
	X(init, cuInit, (unsigned flags))                                                        \
	X(driver_version, cuDriverGetVersion, (int *ret))                                        \
	X(error_name, cuGetErrorName, (int result, const char **ret))                            \
	X(error_text, cuGetErrorString, (int result, const char **ret))                          \
	X(device_count, cuDeviceGetCount, (int *ret))                                            \
	X(device_get, cuDeviceGet, (int *ret, int ordinal))                                      \
	X(device_name, cuDeviceGetName, (char *ret, int len, int device))                        \
	X(device_uuid, cuDeviceGetUuid_v2, (struct cuda_uuid * ret, int device))                 \
	X(device_memory, cuDeviceTotalMem_v2, (size_t * ret, int device))                        \
	X(device_attribute, cuDeviceGetAttribute, (int *ret, int attribute, int device))         \
	X(context_retain, cuDevicePrimaryCtxRetain, (struct cuda_context * *ret, int device))    \
	X(context_release, cuDevicePrimaryCtxRelease_v2, (int device))                           \
	X(context_set, cuCtxSetCurrent, (struct cuda_context * context))                         \
	X(memory_info, cuMemGetInfo_v2, (size_t * ret_free, size_t * ret_total))                 \
	X(alloc, cuMemAlloc_v2, (cuda_ptr * ret, size_t bytes))                                  \
	X(free, cuMemFree_v2, (cuda_ptr p))                                                      \
	X(host_alloc, cuMemHostAlloc, (void **ret, size_t bytes, unsigned flags))                \
	X(host_free, cuMemFreeHost, (void *p))                                                   \
	X(host_pointer, cuMemHostGetDevicePointer_v2,                                            \
	  (cuda_ptr * ret, void *host, unsigned flags))                                          \
	X(download, cuMemcpyDtoH_v2, (void *to, cuda_ptr from, size_t bytes))                    \
	X(upload, cuMemcpyHtoDAsync_v2,                                                          \
	  (cuda_ptr to, const void *from, size_t bytes, struct cuda_stream *stream))             \
	X(copy, cuMemcpyDtoDAsync_v2,                                                            \
	  (cuda_ptr to, cuda_ptr from, size_t bytes, struct cuda_stream * stream))               \
	X(set8, cuMemsetD8Async,                                                                 \
	  (cuda_ptr to, unsigned char byte, size_t n, struct cuda_stream *stream))               \
	X(module_load, cuModuleLoadData, (struct cuda_module * *ret, const void *image))         \
	X(module_unload, cuModuleUnload, (struct cuda_module * module))                          \
	X(module_function, cuModuleGetFunction,                                                  \
	  (struct cuda_function * *ret, struct cuda_module * module, const char *name))          \
	X(function_attribute, cuFuncGetAttribute,                                                \
	  (int *ret, int attribute, struct cuda_function *function))                             \
	X(function_set, cuFuncSetAttribute,                                                      \
	  (struct cuda_function * function, int attribute, int value))                           \
	X(occupancy, cuOccupancyMaxActiveBlocksPerMultiprocessor,                                \
	  (int *ret, struct cuda_function *function, int block, size_t shared_bytes))            \
	X(launch, cuLaunchKernel,                                                                \
	  (struct cuda_function * function, unsigned grid_x, unsigned grid_y, unsigned grid_z,   \
	   unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,          \
	   struct cuda_stream *stream, void **arguments, void **extra))                          \
	X(stream_create, cuStreamCreate, (struct cuda_stream * *ret, unsigned flags))            \
	X(stream_destroy, cuStreamDestroy_v2, (struct cuda_stream * stream))                     \
	X(stream_sync, cuStreamSynchronize, (struct cuda_stream * stream))                       \
	X(stream_wait, cuStreamWaitEvent,                                                        \
	  (struct cuda_stream * stream, struct cuda_event * event, unsigned flags))              \
	X(capture_begin, cuStreamBeginCapture_v2, (struct cuda_stream * stream, int mode))       \
	X(capture_end, cuStreamEndCapture,                                                       \
	  (struct cuda_stream * stream, struct cuda_graph * *ret))                               \
	X(graph_destroy, cuGraphDestroy, (struct cuda_graph * graph))                            \
	X(graph_instantiate, cuGraphInstantiateWithFlags,                                        \
	  (struct cuda_exec * *ret, struct cuda_graph * graph, unsigned long long flags))        \
	X(exec_destroy, cuGraphExecDestroy, (struct cuda_exec * exec))                           \
	X(graph_upload, cuGraphUpload, (struct cuda_exec * exec, struct cuda_stream * stream))   \
	X(graph_launch, cuGraphLaunch, (struct cuda_exec * exec, struct cuda_stream * stream))   \
	X(event_create, cuEventCreate, (struct cuda_event * *ret, unsigned flags))               \
	X(event_destroy, cuEventDestroy_v2, (struct cuda_event * event))                         \
	X(event_record, cuEventRecord, (struct cuda_event * event, struct cuda_stream * stream)) \
	X(event_sync, cuEventSynchronize, (struct cuda_event * event))                           \
	X(event_elapsed, cuEventElapsedTime,                                                     \
	  (float *ret_ms, struct cuda_event *start, struct cuda_event *end))

struct cuda_driver {
#define X(member, symbol, arguments) int(*member) arguments;
	CUDA_SYMBOL_MAP(X)
#undef X
};

/* CUresult, as far as we tell them apart. */
enum {
	CUDA_OK = 0,
	CUDA_INVALID_VALUE = 1,
	CUDA_OUT_OF_MEMORY = 2,
	CUDA_NO_DEVICE = 100,
	CUDA_NO_BINARY_FOR_GPU = 209,
	CUDA_CONTAINED = 226,
	CUDA_NOT_FOUND = 500,
	CUDA_ILLEGAL_ADDRESS = 700,
	CUDA_LAUNCH_OUT_OF_RESOURCES = 701,
	CUDA_LAUNCH_TIMEOUT = 702,
	CUDA_ASSERT = 710,
	CUDA_HARDWARE_STACK_ERROR = 714,
	CUDA_ILLEGAL_INSTRUCTION = 715,
	CUDA_MISALIGNED_ADDRESS = 716,
	CUDA_INVALID_ADDRESS_SPACE = 717,
	CUDA_INVALID_PC = 718,
	CUDA_LAUNCH_FAILED = 719,
	CUDA_COOPERATIVE_LAUNCH_TOO_LARGE = 720,
	CUDA_TENSOR_MEMORY_LEAK = 721,
	CUDA_INVALID_CLUSTER_SIZE = 912,
	CUDA_UNKNOWN = 999,
};

/* CUfunction_attribute. */
enum {
	CUDA_FUNCTION_MAX_THREADS = 0,
	CUDA_FUNCTION_SHARED_BYTES = 1,
	CUDA_FUNCTION_CONSTANT_BYTES = 2,
	CUDA_FUNCTION_LOCAL_BYTES = 3,
	CUDA_FUNCTION_REGISTERS = 4,
	CUDA_FUNCTION_MAX_DYNAMIC_SHARED = 8,
	CUDA_FUNCTION_CARVEOUT = 9, /* shared memory preferred, in percent of what there can be */
};

enum { CUDA_CARVEOUT_DEFAULT = -1, CUDA_CARVEOUT_MAX_SHARED = 100 };

enum {
	CUDA_STREAM_NON_BLOCKING = 1,
	CUDA_HOST_MAPPED = 2,
	CUDA_CAPTURE_THREAD_LOCAL = 1,
	CUDA_EVENT_DEFAULT = 0,
};

/* Loads libcuda.so.1 and looks every symbol up; the library stays loaded for the life of the
 * process. ERR_MISSING says what to install or which symbol the driver is too old for. Does not
 * call cuInit. */
int cuda_driver_load(struct cuda_driver *ret, struct err *e);

/* "CUDA_ERROR_ILLEGAL_ADDRESS"; never NULL. */
const char *cuda_error_name(const struct cuda_driver *cu, int result);

/* 0 for CUDA_OK; otherwise ERR_FAILED "DOING: CUDA_ERROR_...: the driver's words". */
int cuda_check(const struct cuda_driver *cu, int result, struct err *e, const char *doing);

/* The name a symbol of the list is exported under, or NULL past the end. */
const char *cuda_symbol_name(int i);

#endif
