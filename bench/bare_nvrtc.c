/*
 * The limit that the compile pool is measured against: N processes that do nothing but compile one
 * source with one option list after the other through NVRTC. No queue, no store, no files.
 *
 *   cc -O2 -o bare_nvrtc bench/bare_nvrtc.c -ldl
 *   bare_nvrtc LIBNVRTC SOURCE OPTIONS PROCESSES     one line of OPTIONS is one compile's options
 *
 * Prints compiles, seconds and compiles per second of the whole.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef void *program;
static int (*create)(program *, const char *, const char *, int, const char *const *,
		     const char *const *);
static int (*compile)(program, int, const char *const *);
static int (*cubin_size)(program, size_t *);
static int (*cubin)(program, char *);
static int (*destroy)(program *);

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = malloc(1 << 20);
	size_t n;

	if (!f || !text) {
		perror(path);
		exit(2);
	}
	n = fread(text, 1, (1 << 20) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void load(const char *path)
{
	void *lib = dlopen(path, RTLD_NOW);

	if (!lib) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	*(void **)&create = dlsym(lib, "nvrtcCreateProgram");
	*(void **)&compile = dlsym(lib, "nvrtcCompileProgram");
	*(void **)&cubin_size = dlsym(lib, "nvrtcGetCUBINSize");
	*(void **)&cubin = dlsym(lib, "nvrtcGetCUBIN");
	*(void **)&destroy = dlsym(lib, "nvrtcDestroyProgram");
}

static int one(const char *name, const char *source, char *line)
{
	const char *option[256];
	int n = 0;
	size_t size;
	program p;

	for (char *s = strtok(line, " \n"); s && n < 256; s = strtok(NULL, " \n"))
		option[n++] = s;
	if (create(&p, source, name, 0, NULL, NULL) || compile(p, n, option)) {
		destroy(&p);
		return 1;
	}
	cubin_size(p, &size);
	char *bytes = malloc(size);
	cubin(p, bytes);
	free(bytes);
	return destroy(&p);
}

static void child(char **argv, int first, int step)
{
	char *source = slurp(argv[2]), *lines = slurp(argv[3]), *line = lines;

	load(argv[1]);
	for (int i = 0; *line; i++) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		if (i % step == first)
			one(argv[2], source, line);
		if (!end)
			break;
		line = end + 1;
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	int processes, compiles = 0;
	double start;

	if (argc != 5 || (processes = atoi(argv[4])) < 1) {
		fprintf(stderr, "usage: bare_nvrtc LIBNVRTC SOURCE OPTIONS PROCESSES\n");
		return 2;
	}
	for (char *s = slurp(argv[3]); *s; s++)
		compiles += *s == '\n';
	start = now();
	for (int i = 0; i < processes; i++)
		if (fork() == 0)
			child(argv, i, processes);
	while (wait(NULL) > 0)
		;
	printf("%d %.3f %.2f\n", compiles, now() - start, compiles / (now() - start));
	return 0;
}
