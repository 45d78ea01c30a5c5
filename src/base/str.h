#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stddef.h>

/*
 * A growing byte string, always NUL-terminated once initialised. `struct str s = STR_INIT;` or
 * str_init; str_release gives the memory back; str_detach hands it to the caller (free()).
 */
struct str {
	char *data;
	size_t len;
	size_t cap; /* 0: data is a shared empty string */
};

extern char str_empty[1];
#define STR_INIT                \
	{                       \
		str_empty, 0, 0 \
	}

void str_init(struct str *s);
void str_release(struct str *s);
void str_clear(struct str *s);	 /* keeps the memory */
char *str_detach(struct str *s); /* never NULL; s is empty again */

void str_add(struct str *s, const void *bytes, size_t len);
void str_addz(struct str *s, const char *text);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vaddf(struct str *s, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0), nonnull(2)));
void str_drop(struct str *s, size_t len); /* removes the first len bytes */

#endif
