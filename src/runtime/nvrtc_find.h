#ifndef RUNTIME_NVRTC_FIND_H
#define RUNTIME_NVRTC_FIND_H

#include "base/str.h"

/*
 * Where libnvrtc may be: the path a user gave; the loader's own path; the folders of the CUDA
 * toolkit and of the distributions; the folders of NVIDIA's wheels on PyPI.
 */

/* Opens the first that loads and returns dlopen's handle; *ret_path is its file (free()). NULL:
 * none; each place that was tried is added to *tried, one a line. A given path is the only one
 * tried. */
void *nvrtc_find(const char *given, char **ret_path, struct str *tried);

/* The folder of the CUDA headers that belong to the library, or NULL; free(). */
char *nvrtc_find_include(const char *library);

#endif
