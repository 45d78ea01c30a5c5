#include "tuner/cli/doctor.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/cupti.h"
#include "runtime/nvml.h"
#include "runtime/nvrtc.h"
#include "tuner/cli/figure.h"
#include "tuner/cli/holder.h"
#include "tuner/cli/local.h"

enum { COMPILE_S = 60 };
static const int64_t little_space = INT64_C(512) << 20;

const char *finding_state_name(enum finding_state s)
{
	switch (s) {
	case FINDING_OK:
		return "ok";
	case FINDING_ABSENT:
		return "absent";
	case FINDING_BROKEN:
		return "broken";
	}
	return "?";
}

static struct finding *add(struct findings *f, const char *subject, enum finding_state state,
			   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static struct finding *add(struct findings *f, const char *subject, enum finding_state state,
			   const char *fmt, ...)
{
	/* The last place is used again rather than overrun. */
	struct finding *x = &f->all[f->n < FINDINGS_MAX ? f->n++ : FINDINGS_MAX - 1];
	va_list ap;

	*x = (struct finding){ .subject = subject, .state = state };
	va_start(ap, fmt);
	vsnprintf(x->detail, sizeof x->detail, fmt, ap);
	va_end(ap);
	return x;
}

static void mend(struct finding *x, const char *how)
{
	snprintf(x->mend, sizeof x->mend, "%s", how);
}

/* --- the GPU --- */

static bool find_gpus(const char *nvrtc, struct findings *f)
{
	struct local where = { "cuda", nvrtc };
	struct device *devices;
	struct err e = { 0 };
	char memory[FIGURE_MAX];
	int n;

	if (local_probe(&where, &devices, &n, &e) < 0) {
		bool absent = e.code == ERR_MISSING && access("/dev/nvidiactl", F_OK);

		mend(add(f, "GPU", absent ? FINDING_ABSENT : FINDING_BROKEN, "%s", e.msg),
		     absent ? "needed for CUDA tasks only; install the NVIDIA driver where there "
			      "is a "
			      "card"
			    : "see whether `nvidia-smi` works; the driver's libraries and its "
			      "kernel module must be of one version");
		return false;
	}
	for (int i = 0; i < n; i++)
		add(f, "GPU", FINDING_OK, "%d: %s, %s, %s, driver %s", devices[i].ordinal,
		    devices[i].name, devices[i].arch,
		    figure_bytes(devices[i].attr[DEVICE_MEMORY_BYTES], memory), devices[i].driver);
	free(devices);
	return true;
}

static void check_device_files(struct findings *f)
{
	glob_t found;

	if (glob("/dev/nvidia[0-9]*", 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (access(found.gl_pathv[i], R_OK | W_OK) == 0)
			add(f, "device file", FINDING_OK, "%s", found.gl_pathv[i]);
		else
			mend(add(f, "device file", FINDING_BROKEN, "%s: %s", found.gl_pathv[i],
				 strerror(errno)),
			     "add yourself to the group that owns it, often `video`");
	}
	globfree(&found);
}

static int try_compile(const struct local *where, const char *name, const char *source,
		       const char *arch, struct artifact *ret, struct err *e)
{
	struct compile_job job = { .language = strcmp(where->runtime, "cuda") == 0 ? LANGUAGE_CUDA
										   : LANGUAGE_C,
				   .entry = "probe",
				   .arch = arch };
	char *folder, *path;
	int r = local_folder(&folder, e);

	if (r < 0)
		return r;
	path = file_join(folder, name);
	job.source = path;
	job.cache = folder;
	r = file_write(path, source, strlen(source), e);
	if (r == 0)
		r = local_compile(where, &job, COMPILE_S, ret, e);
	if (r == 0 && ret->outcome != OUTCOME_OK) {
		r = err_set(e, ERR_FAILED, "%s: %.800s", outcome_name(ret->outcome), ret->log);
		artifact_release(ret);
	}
	free(path);
	local_folder_remove(folder);
	return r;
}

/* Loaded here only after a worker has shown that it loads and compiles. */
static void describe_nvrtc(struct findings *f, double compile_ms)
{
	const struct nvrtc *n;
	struct err e = { 0 };
	const char *include;
	int major, minor;

	if (nvrtc_load(&n, &e) < 0) {
		add(f, "NVRTC", FINDING_BROKEN, "%s", e.msg);
		return;
	}
	nvrtc_version(n, &major, &minor);
	add(f, "NVRTC", FINDING_OK, "%d.%d, %s; a kernel compiled in %.0f ms", major, minor,
	    nvrtc_path(n), compile_ms);
	include = nvrtc_include(n);
	if (include)
		add(f, "CUDA headers", FINDING_OK, "%s", include);
	else
		mend(add(f, "CUDA headers", FINDING_ABSENT,
			 "none beside NVRTC: kernels that include cuda_fp16.h do not compile"),
		     "pip install nvidia-cuda-runtime, or install the CUDA toolkit");
}

static bool check_nvrtc(const char *nvrtc, struct findings *f)
{
	struct local where = { "cuda", nvrtc };
	struct artifact a = { 0 };
	struct err e = { 0 };

	if (try_compile(&where, "probe.cu",
			"extern \"C\" __global__ void probe(int *x) { *x = 1; }\n", "sm_90", &a,
			&e) < 0) {
		mend(add(f, "NVRTC", e.code == ERR_MISSING ? FINDING_ABSENT : FINDING_BROKEN, "%s",
			 e.msg),
		     "pip install nvidia-cuda-nvrtc, or install the CUDA toolkit, or name "
		     "libnvrtc.so with --nvrtc");
		return false;
	}
	if (nvrtc)
		nvrtc_set_path(nvrtc);
	describe_nvrtc(f, a.compile_ms);
	artifact_release(&a);
	return true;
}

static void check_nvml(struct findings *f)
{
	char version[80];

	if (nvml_driver_version(version, sizeof version))
		add(f, "NVML", FINDING_OK, "driver %s", version);
	else
		mend(add(f, "NVML", FINDING_ABSENT,
			 "no clocks, no temperature, no throttle reasons"),
		     "it is a part of the NVIDIA driver (libnvidia-ml.so.1)");
}

/* Beside the NVRTC that was loaded, if any was. */
static void check_cupti(bool nvrtc_works, struct findings *f)
{
	const struct nvrtc *n;
	struct err ignored = { 0 };
	uint32_t version;
	char *path;
	bool loaded = nvrtc_works && nvrtc_load(&n, &ignored) == 0;

	if (cupti_find(loaded ? nvrtc_path(n) : NULL, &path, &version)) {
		add(f, "CUPTI", FINDING_OK, "API %" PRIu32 ", %s; not needed for tuning", version,
		    path);
		free(path);
	} else {
		mend(add(f, "CUPTI", FINDING_ABSENT, "not needed for tuning"),
		     "to profile a kernel with NVIDIA's tools: pip install nvidia-cuda-cupti, or "
		     "install the CUDA toolkit");
	}
}

/* --- the CPU --- */

static bool check_cc(struct findings *f)
{
	struct local where = { .runtime = "host" };
	struct artifact a = { 0 };
	struct device cpu;
	struct err e = { 0 };

	if (local_device(&where, -1, &cpu, &e) == 0 &&
	    try_compile(&where, "probe.c", "void probe(void) { }\n", "", &a, &e) == 0) {
		add(f, "CPU", FINDING_OK, "%s, %" PRId64 " cores", cpu.name,
		    cpu.attr[DEVICE_SM_COUNT]);
		add(f, "cc", FINDING_OK, "%s; a kernel compiled in %.0f ms", cpu.compiler,
		    a.compile_ms);
		artifact_release(&a);
		return true;
	}
	mend(add(f, "cc", e.code == ERR_MISSING ? FINDING_ABSENT : FINDING_BROKEN, "%s", e.msg),
	     "needed for tasks in C: apt install gcc libc6-dev");
	return false;
}

/* --- files --- */

/* The deepest folder of the path that is there. */
static char *existing(const char *path)
{
	char *dir = file_dirname(path);

	while (access(dir, F_OK) && strcmp(dir, "/") != 0 && strcmp(dir, ".") != 0) {
		char *up = file_dirname(dir);

		free(dir);
		dir = up;
	}
	return dir;
}

static void check_state(const struct invocation *v, struct findings *f)
{
	char *dir = existing(v->db), space[FIGURE_MAX];
	struct statvfs fs;
	struct stat st;
	int64_t bytes = -1;

	if (statvfs(dir, &fs) == 0)
		bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	figure_bytes(bytes, space);
	if (stat(dir, &st) == 0 && !S_ISDIR(st.st_mode))
		mend(add(f, "state folder", FINDING_BROKEN, "%s is not a folder (for %s)", dir,
			 v->db),
		     "name another database with --db");
	else if (access(dir, W_OK | X_OK))
		mend(add(f, "state folder", FINDING_BROKEN, "%s: %s (for %s)", dir, strerror(errno),
			 v->db),
		     "make it writable, or name another database with --db");
	else if (bytes >= 0 && bytes < little_space)
		mend(add(f, "state folder", FINDING_BROKEN, "%s: only %s free", dir, space),
		     "make room; a run waits while the disk is full");
	else
		add(f, "state folder", FINDING_OK, "%s, %s free (for %s)", dir, space, v->db);
	free(dir);
}

static void check_socket(const struct invocation *v, struct findings *f)
{
	char *dir = file_dirname(v->socket), *up = existing(v->socket);
	struct stat st;

	if (stat(dir, &st)) {
		bool ok = access(up, W_OK | X_OK) == 0;

		add(f, "socket folder", ok ? FINDING_OK : FINDING_BROKEN, "%s: %s", dir,
		    ok ? "made when needed" : "cannot be made");
		if (!ok)
			mend(&f->all[f->n - 1], "name another socket with --socket");
	} else if (st.st_uid != getuid() && st.st_uid != 0) {
		mend(add(f, "socket folder", FINDING_BROKEN, "%s belongs to user %u", dir,
			 (unsigned)st.st_uid),
		     "name another socket with --socket");
	} else if (access(dir, W_OK | X_OK)) {
		mend(add(f, "socket folder", FINDING_BROKEN, "%s: %s", dir, strerror(errno)),
		     "make it writable, or name another socket with --socket");
	} else {
		add(f, "socket folder", FINDING_OK, "%s", dir);
	}
	free(dir);
	free(up);
}

static void check_daemon(const struct invocation *v, struct findings *f)
{
	pid_t pid;

	if (holder_alive(v->db, &pid))
		add(f, "daemon", FINDING_OK, "process %ld", (long)pid);
	else
		add(f, "daemon", FINDING_OK, "not running; `evo-tuned start` starts it");
}

void doctor_examine(const struct invocation *v, const char *nvrtc, struct findings *ret)
{
	bool gpu, compiles;

	gpu = find_gpus(nvrtc, ret);
	check_device_files(ret);
	compiles = check_nvrtc(nvrtc, ret);
	check_nvml(ret);
	check_cupti(compiles, ret);
	ret->cuda = gpu && compiles;
	ret->host = check_cc(ret);
	check_state(v, ret);
	check_socket(v, ret);
	check_daemon(v, ret);
}
