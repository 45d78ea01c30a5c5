/* Kernels in C on this machine's CPU: compiled by cc, loaded into the measuring worker. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "runtime/host_ceilings.h"
#include "runtime/host_compile.h"
#include "runtime/host_measure.h"
#include "runtime/host_session.h"
#include "runtime/spawn.h"

/* The value behind the first "KEY :" of /proc/cpuinfo; false on machines that have no such line. */
static bool cpuinfo(const char *key, char *ret, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof line, f)) {
		char *colon = strchr(line, ':');

		if (!colon || strncmp(line, key, strlen(key)) != 0)
			continue;
		colon[strcspn(colon, "\n")] = '\0';
		snprintf(ret, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
		found = true;
	}
	if (f)
		fclose(f);
	return found;
}

static int cores_of(pid_t pid)
{
	cpu_set_t set;

	return sched_getaffinity(pid, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

/* A measuring worker is pinned to one core itself: what the service may use, its parent knows. */
static int cores(void)
{
	int own = cores_of(0), parent = cores_of(getppid());

	return own > parent ? own : parent;
}

static int64_t positive(long value)
{
	return value > 0 ? value : 0;
}

static int64_t clock_khz(void)
{
	static const char path[] = "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq";
	char mhz[64], *text;
	struct err ignored;
	int64_t khz = 0;

	if (file_read(path, 64, &text, NULL, &ignored) == 0) {
		khz = strtoll(text, NULL, 10);
		free(text);
	} else if (cpuinfo("cpu MHz", mhz, sizeof mhz)) {
		khz = (int64_t)(strtod(mhz, NULL) * 1000);
	}
	return khz;
}

static void set_attributes(struct device *d)
{
	long l3 = sysconf(_SC_LEVEL3_CACHE_SIZE);

	d->attr[DEVICE_SM_COUNT] = cores();
	d->attr[DEVICE_WARP_SIZE] = 1;
	d->attr[DEVICE_MAX_THREADS] = 1;
	d->attr[DEVICE_MAX_GRID_X] = INT32_MAX;
	d->attr[DEVICE_MAX_GRID_Y] = INT32_MAX;
	d->attr[DEVICE_L2_BYTES] = l3 > 0 ? l3 : positive(sysconf(_SC_LEVEL2_CACHE_SIZE));
	d->attr[DEVICE_MEMORY_BYTES] =
		positive(sysconf(_SC_PHYS_PAGES)) * positive(sysconf(_SC_PAGESIZE));
	d->attr[DEVICE_CLOCK_KHZ] = clock_khz();
}

/* The machine's id is confidential by systemd's rules: only a hash leaves it. */
static void set_uuid(struct device *d)
{
	char hash[HASH_HEX], *id = NULL;
	struct err ignored;
	struct hash *h = hash_new();

	if (file_read("/etc/machine-id", 256, &id, NULL, &ignored) == 0)
		hash_text(h, id);
	hash_text(h, d->name);
	hash_finish(h, hash);
	snprintf(d->uuid, sizeof d->uuid, "host-%.32s", hash);
	free(id);
}

static int set_compiler(struct device *d, struct err *e)
{
	static const char *const argv[] = { "cc", "--version", NULL };
	struct str out = STR_INIT;
	int status = 0, r = spawn_and_wait(argv, NULL, 4096, &out, &status, e);

	if (r == 0 && status != 0)
		r = err_set(e, ERR_MISSING, "cc --version fails: %.200s", out.data);
	if (r == 0)
		snprintf(d->compiler, sizeof d->compiler, "%.*s", (int)strcspn(out.data, "\n"),
			 out.data);
	str_release(&out);
	return r < 0 ? err_wrap(e, "the host runtime needs a C compiler (apt install gcc)") : 0;
}

static int probe(struct device **ret, int *ret_n, struct err *e)
{
	struct device d = { .ordinal = 0 };
	struct utsname u;
	int r = set_compiler(&d, e);

	if (r < 0)
		return r;
	if (uname(&u))
		return err_sys(e, "uname");
	snprintf(d.arch, sizeof d.arch, "%.31s", u.machine);
	snprintf(d.driver, sizeof d.driver, "%.63s", u.release);
	if (!cpuinfo("model name", d.name, sizeof d.name))
		snprintf(d.name, sizeof d.name, "%.31s CPU", u.machine);
	set_attributes(&d);
	set_uuid(&d);
	*ret = mem_copy(&d, sizeof d);
	*ret_n = 1;
	return 0;
}

/* There is nothing that opens have in common. */
static int warm(int ordinal, const struct problem *p, struct err *e)
{
	(void)ordinal;
	(void)p;
	(void)e;
	return 0;
}

const struct runtime runtime_host = {
	.name = "host",
	.probe = probe,
	.compile = host_compile,
	.warm = warm,
	.open = host_session_open,
	.measure = host_measure,
	.close = host_session_close,
	.ceilings = host_ceilings,
};
