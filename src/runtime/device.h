#ifndef RUNTIME_DEVICE_H
#define RUNTIME_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What a device is. Attributes can be named in task expressions as device.NAME; unknown ones are 0.
 */
#define DEVICE_ATTR_MAP(X)                                                                  \
	X(SM_COUNT, "sm_count", "multiprocessors; on a CPU the cores this process may use") \
	X(WARP_SIZE, "warp_size", "threads of a warp; 1 on a CPU")                          \
	X(MAX_THREADS, "max_threads", "threads a block may have")                           \
	X(MAX_SHARED_BYTES, "max_shared_bytes", "shared memory a block may opt in to")      \
	X(SM_SHARED_BYTES, "sm_shared_bytes", "shared memory of one multiprocessor")        \
	X(SM_REGISTERS, "sm_registers", "32-bit registers of one multiprocessor")           \
	X(SM_THREADS, "sm_threads", "threads one multiprocessor may hold")                  \
	X(L2_BYTES, "l2_bytes", "last-level cache")                                         \
	X(MEMORY_BYTES, "memory_bytes", "device memory; on a CPU the machine's")            \
	X(MAX_GRID_X, "max_grid_x", "blocks in x")                                          \
	X(MAX_GRID_Y, "max_grid_y", "blocks in y and z")                                    \
	X(CLOCK_KHZ, "clock_khz", "highest core clock")                                     \
	X(MEMORY_CLOCK_KHZ, "memory_clock_khz", "highest memory clock; 0 on a CPU")         \
	X(MEMORY_BUS_BITS, "memory_bus_bits", "width of the memory bus; 0 on a CPU")        \
	X(COMPUTE_MAJOR, "compute_major", "compute capability, major; 0 on a CPU")          \
	X(COMPUTE_MINOR, "compute_minor", "compute capability, minor")

enum device_attr {
#define X(id, name, help) DEVICE_##id,
	DEVICE_ATTR_MAP(X)
#undef X
		DEVICE_ATTR_COUNT
};

struct device {
	int ordinal;	   /* as the driver counts; 0 on a CPU */
	char name[128];	   /* "NVIDIA H200", "AMD EPYC ..." */
	char uuid[64];	   /* of the card; of the host (machine-id hash) on a CPU */
	char arch[32];	   /* what code is compiled for: "sm_90a"; "x86_64" */
	char driver[64];   /* driver version, as a user would quote it; kernel release on a CPU */
	char compiler[96]; /* "NVRTC 13.0", "gcc (Debian 12.2.0-14+deb12u1) 12.2.0" */
	bool assumed; /* no such device here: figures are the architecture's published limits */
	int64_t attr[DEVICE_ATTR_COUNT];
};

const char *device_attr_name(enum device_attr a);
int device_attr_parse(const char *name, enum device_attr *ret); /* 0, or -1 */

#endif
