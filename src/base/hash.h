#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>

/*
 * SHA-256 (FIPS 180-4, by libmd) as 64 lower-case hexadecimal digits. What is hashed with
 * hash_field is framed by its length, so that ("ab","c") and ("a","bc") differ.
 */
enum { HASH_HEX = 65 }; /* bytes of a hash as text, its NUL counted */

struct hash; /* a running hash */

struct hash *hash_new(void);
void hash_field(struct hash *h, const void *bytes, size_t len);
void hash_text(struct hash *h, const char *text);
void hash_file(struct hash *h,
	       const char *path); /* its content; one that cannot be read is empty */
void hash_finish(struct hash *h, char ret[HASH_HEX]); /* frees h */

void hash_bytes(const void *bytes, size_t len, char ret[HASH_HEX]); /* plain SHA-256, unframed */

#endif
