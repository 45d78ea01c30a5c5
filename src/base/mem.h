#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/*
 * Allocation that cannot fail: out of memory logs and aborts. Every finished trial is on disk by
 * then and workers are replaceable, so a restart with `resume` loses nothing. Free with free().
 */
void *mem_alloc(size_t bytes);		     /* zeroed */
void *mem_array(size_t count, size_t bytes); /* zeroed; aborts when the product overflows */
void *mem_grow(void *old, size_t count, size_t bytes); /* realloc to count * bytes, not zeroed */
char *mem_strdup(const char *s);		       /* NULL gives NULL */
char *mem_strndup(const char *s, size_t len);
void *mem_copy(const void *from, size_t bytes);

#endif
