#ifndef RUNTIME_CUDA_CUBIN_H
#define RUNTIME_CUDA_CUBIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * A cubin is an ELF64 file whose sections ".text.NAME" are its entries and device functions
 * (NVIDIA, "CUDA Binary Utilities"). Bytes that are no such file have no entries.
 */
bool cubin_has_entry(const void *bytes, size_t len, const char *name);

/* Adds the names, separated by ", ". */
void cubin_list_entries(const void *bytes, size_t len, struct str *ret);

/* Bytes of its writable global variables (".nv.global", ".nv.global.init"): what a kernel can keep
 * from one launch to the next other than in buffers. */
uint64_t cubin_state_bytes(const void *bytes, size_t len);

#endif
