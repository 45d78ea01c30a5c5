#ifndef CLI_EXPORT_STANDALONE_SOURCE_H
#define CLI_EXPORT_STANDALONE_SOURCE_H

#include "base/str.h"
#include "runtime/runtime.h"

/*
 * One kernel's source as a part of a larger file: its macros, its text with all local includes put
 * in their place, and at the end an #undef for each macro that it left. Includes of the system are
 * taken out and added to *system, once each, since they may not lie in a namespace.
 *
 * Several parts share a file without knowing of each other: a CUDA part lies in a namespace of the
 * given name (extern "C" becomes extern "C++"), and in a C part every name of file scope gets
 * `name` and an underscore in front.
 *
 * The job's sources must lie on disk, see task_materialise. Errors name the file.
 */
int standalone_part(const struct compile_job *job, const char *name, struct str *system,
		    struct str *ret, struct err *e);

#endif
