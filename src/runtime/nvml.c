#include "runtime/nvml.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NVML_SYMBOL_MAP(X)                                                                  \
	X(init, nvmlInit_v2, (void))                                                        \
	X(shutdown, nvmlShutdown, (void))                                                   \
	X(driver_version, nvmlSystemGetDriverVersion, (char *ret, unsigned len))            \
	X(device_by_uuid, nvmlDeviceGetHandleByUUID, (const char *uuid, void **ret))        \
	X(clock, nvmlDeviceGetClockInfo, (void *device, unsigned kind, unsigned *ret_mhz))  \
	X(temperature, nvmlDeviceGetTemperature, (void *device, int sensor, unsigned *ret)) \
	X(power, nvmlDeviceGetPowerUsage, (void *device, unsigned *ret_milliwatts))         \
	X(throttle, nvmlDeviceGetCurrentClocksThrottleReasons,                              \
	  (void *device, unsigned long long *ret))

struct nvml {
#define X(member, symbol, arguments) int(*member) arguments;
	NVML_SYMBOL_MAP(X)
#undef X
	void *device;
};

static const struct symbol {
	const char *name;
	size_t offset;
} symbols[] = {
#define X(member, symbol, arguments) { #symbol, offsetof(struct nvml, member) },
	NVML_SYMBOL_MAP(X)
#undef X
};

/* nvmlClockType_t, nvmlTemperatureSensors_t and the nvmlClocksThrottleReason bits of nvml.h. */
enum { CLOCK_SM = 1, CLOCK_MEMORY = 2, SENSOR_GPU = 0 };
enum {
	THROTTLE_HARDWARE = 0x08,
	THROTTLE_SOFTWARE_THERMAL = 0x20,
	THROTTLE_HARDWARE_THERMAL = 0x40,
	THROTTLE_POWER_BRAKE = 0x80,
};

/* The library stays loaded: it is a reference count away when it is asked for again. */
static bool load(struct nvml *ret)
{
	void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return false;
	for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
		void *found = dlsym(library, symbols[i].name);

		if (!found)
			return false;
		memcpy((char *)ret + symbols[i].offset, &found, sizeof found);
	}
	return ret->init() == 0;
}

struct nvml *nvml_open(const char *uuid)
{
	struct nvml n = { 0 };

	if (!load(&n))
		return NULL;
	if (n.device_by_uuid(uuid, &n.device) != 0) {
		n.shutdown();
		return NULL;
	}
	return mem_copy(&n, sizeof n);
}

void nvml_close(struct nvml *n)
{
	if (n)
		n->shutdown();
	free(n);
}

bool nvml_driver_version(char *ret, size_t size)
{
	struct nvml n = { 0 };
	bool ok;

	if (!load(&n))
		return false;
	ok = n.driver_version(ret, (unsigned)size) == 0;
	n.shutdown();
	return ok;
}

void nvml_clocks(const struct nvml *n, struct clocks *ret)
{
	unsigned long long reasons;
	unsigned figure;

	*ret = (struct clocks){ -1, -1, -1, -1, -1 };
	if (!n)
		return;
	if (n->clock(n->device, CLOCK_SM, &figure) == 0)
		ret->sm_mhz = figure;
	if (n->clock(n->device, CLOCK_MEMORY, &figure) == 0)
		ret->memory_mhz = figure;
	if (n->temperature(n->device, SENSOR_GPU, &figure) == 0)
		ret->celsius = figure;
	if (n->power(n->device, &figure) == 0)
		ret->watts = figure / 1e3;
	if (n->throttle(n->device, &reasons) == 0)
		ret->throttle = (int64_t)(reasons & INT64_MAX);
}

bool nvml_throttled(int64_t reasons)
{
	return reasons > 0 && (reasons & (THROTTLE_HARDWARE | THROTTLE_SOFTWARE_THERMAL |
					  THROTTLE_HARDWARE_THERMAL | THROTTLE_POWER_BRAKE));
}
