/*
 * A stand-in for libnvidia-ml.so.1 with one card whose state is scripted, for tests of what is done
 * about throttling.
 *
 *   FAKECUDA_THROTTLE  "FROM-TO:MASK;...": from the FROM-th to the TO-th time that the reasons for
 *                      throttling are asked for, counted from 1, the answer is MASK; else 0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int nvmlInit_v2(void);
EXPORT int nvmlShutdown(void);
EXPORT int nvmlSystemGetDriverVersion(char *ret, unsigned len);
EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, void **ret);
EXPORT int nvmlDeviceGetClockInfo(void *device, unsigned kind, unsigned *ret_mhz);
EXPORT int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *ret);
EXPORT int nvmlDeviceGetPowerUsage(void *device, unsigned *ret_milliwatts);
EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(void *device, unsigned long long *ret);

static int card;

int nvmlInit_v2(void)
{
	return 0;
}

int nvmlShutdown(void)
{
	return 0;
}

int nvmlSystemGetDriverVersion(char *ret, unsigned len)
{
	snprintf(ret, len, "580.00.01");
	return 0;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, void **ret)
{
	*ret = &card;
	return strncmp(uuid, "GPU-", 4) == 0 ? 0 : 6; /* NVML_ERROR_NOT_FOUND */
}

int nvmlDeviceGetClockInfo(void *device, unsigned kind, unsigned *ret_mhz)
{
	(void)device;
	*ret_mhz = kind == 1 ? 1755 : 3201;
	return 0;
}

int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *ret)
{
	(void)device;
	(void)sensor;
	*ret = 61;
	return 0;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned *ret_milliwatts)
{
	(void)device;
	*ret_milliwatts = 350500;
	return 0;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(void *device, unsigned long long *ret)
{
	const char *plan = getenv("FAKECUDA_THROTTLE");
	static long calls;

	(void)device;
	calls++;
	*ret = 0;
	while (plan && *plan) {
		const char *end = strchr(plan, ';');
		long from, to;
		unsigned mask;

		if (sscanf(plan, "%ld-%ld:%x", &from, &to, &mask) == 3 && calls >= from &&
		    calls <= to)
			*ret = mask;
		plan = end ? end + 1 : NULL;
	}
	return 0;
}
