#ifndef CLI_EXPORT_STANDALONE_NAMES_H
#define CLI_EXPORT_STANDALONE_NAMES_H

/* The names of file scope that a C text declares, each once: functions, objects, types, tags and
 * constants of enumerations. Found by its tokens, so what a macro declares is not seen. The list
 * and its items are the caller's to free. */
char **standalone_names(const char *text, int *ret_n);

#endif
