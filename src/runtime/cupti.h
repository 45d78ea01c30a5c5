#ifndef RUNTIME_CUPTI_H
#define RUNTIME_CUPTI_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether CUPTI, the library behind CUDA's profilers, is here. Nothing in the program uses it: who
 * wants to profile the winner should learn from `doctor` what is installed.
 */

/* Looks on the loader's path, beside the NVRTC library (may be NULL) and where CUDA toolkits put
 * it, and loads the first that can be. *ret_path is its file (free()), *ret_version what it says of
 * itself; both are set only with true. */
bool cupti_find(const char *nvrtc, char **ret_path, uint32_t *ret_version);

#endif
