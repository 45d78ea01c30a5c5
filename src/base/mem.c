#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p, size_t bytes)
{
	if (!p && bytes) {
		fprintf(stderr, "evo-tuned: out of memory (%zu bytes asked for)\n", bytes);
		abort();
	}
	return p;
}

void *mem_alloc(size_t bytes)
{
	return must(calloc(1, bytes ? bytes : 1), bytes);
}

void *mem_array(size_t count, size_t bytes)
{
	return must(calloc(count ? count : 1, bytes), count);
}

void *mem_grow(void *old, size_t count, size_t bytes)
{
	return must(reallocarray(old, count ? count : 1, bytes), count ? count : 1);
}

char *mem_strdup(const char *s)
{
	return s ? mem_strndup(s, strlen(s)) : NULL;
}

char *mem_strndup(const char *s, size_t len)
{
	char *copy = mem_alloc(len + 1);

	memcpy(copy, s, len);
	return copy;
}

void *mem_copy(const void *from, size_t bytes)
{
	void *copy = mem_alloc(bytes);

	memcpy(copy, from, bytes);
	return copy;
}
