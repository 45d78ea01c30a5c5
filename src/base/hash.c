#include "base/hash.h"

#include <sha2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct hash {
	SHA2_CTX ctx;
};

struct hash *hash_new(void)
{
	struct hash *h = mem_alloc(sizeof *h);

	SHA256Init(&h->ctx);
	return h;
}

void hash_field(struct hash *h, const void *bytes, size_t len)
{
	uint64_t frame = len;
	uint8_t le[8];

	for (int i = 0; i < 8; i++)
		le[i] = (uint8_t)(frame >> (8 * i));
	SHA256Update(&h->ctx, le, sizeof le);
	SHA256Update(&h->ctx, bytes, len);
}

void hash_text(struct hash *h, const char *text)
{
	hash_field(h, text, strlen(text));
}

void hash_file(struct hash *h, const char *path)
{
	char hex[HASH_HEX];

	hash_text(h, SHA256File(path, hex) ? hex : "");
}

static void to_hex(const uint8_t *digest, char ret[HASH_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++) {
		ret[2 * i] = digits[digest[i] >> 4];
		ret[2 * i + 1] = digits[digest[i] & 15];
	}
	ret[HASH_HEX - 1] = '\0';
}

void hash_finish(struct hash *h, char ret[HASH_HEX])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256Final(digest, &h->ctx);
	to_hex(digest, ret);
	free(h);
}

void hash_bytes(const void *bytes, size_t len, char ret[HASH_HEX])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, bytes, len);
	SHA256Final(digest, &ctx);
	to_hex(digest, ret);
}
