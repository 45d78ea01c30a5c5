#include "base/unpack.h"

#include <limits.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/str.h"

enum { CHUNK = 1 << 16, GZIP_WINDOW = 15 + 16 /* zlib's way to ask for gzip only */ };

static const unsigned char gzip_magic[] = { 0x1f, 0x8b };
static const unsigned char xz_magic[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };

static int too_large(size_t max, struct err *e)
{
	return err_set(e, ERR_INVALID, "larger than %zu bytes when unpacked", max);
}

static int damaged(const char *format, struct err *e)
{
	return err_set(e, ERR_INVALID, "damaged or cut short: its %s data cannot be unpacked",
		       format);
}

/* One pass of inflate through chunk[CHUNK]. 1: all was read; 0: go on. */
static int inflate_some(z_stream *z, unsigned char *chunk, struct str *out, struct err *e)
{
	int status;

	z->next_out = chunk;
	z->avail_out = CHUNK;
	status = inflate(z, Z_NO_FLUSH);
	str_add(out, chunk, CHUNK - z->avail_out);
	if (status == Z_STREAM_END && z->avail_in == 0)
		return 1;
	if (status == Z_STREAM_END)
		return inflateReset(z) == Z_OK ? 0 : damaged("gzip", e);
	return status == Z_OK ? 0 : damaged("gzip", e);
}

static int unpack_gzip(const char *bytes, size_t len, size_t max, struct str *out, struct err *e)
{
	z_stream z = { .next_in = (unsigned char *)bytes, .avail_in = (unsigned)len };
	unsigned char chunk[CHUNK];
	int r = 0;

	if (len > UINT_MAX)
		return err_set(e, ERR_INVALID, "larger than %u bytes", UINT_MAX);
	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return err_set(e, ERR_FAILED, "zlib %s refuses to start", zlibVersion());
	while (r == 0) {
		r = inflate_some(&z, chunk, out, e);
		if (r >= 0 && out->len > max)
			r = too_large(max, e);
	}
	inflateEnd(&z);
	return r < 0 ? r : 0;
}

static int unpack_xz(const char *bytes, size_t len, size_t max, struct str *out, struct err *e)
{
	lzma_stream z = LZMA_STREAM_INIT;
	unsigned char chunk[CHUNK];
	lzma_ret status = lzma_stream_decoder(&z, max, LZMA_CONCATENATED);
	int r = 0;

	z.next_in = (const unsigned char *)bytes;
	z.avail_in = len;
	while (status == LZMA_OK && r == 0) {
		z.next_out = chunk;
		z.avail_out = CHUNK;
		status = lzma_code(&z, LZMA_FINISH);
		str_add(out, chunk, CHUNK - z.avail_out);
		if (out->len > max)
			r = too_large(max, e);
	}
	if (r == 0 && status != LZMA_STREAM_END)
		r = damaged("xz", e);
	lzma_end(&z);
	return r;
}

static bool starts_with(const char *bytes, size_t len, const unsigned char *magic, size_t n)
{
	return len >= n && memcmp(bytes, magic, n) == 0;
}

int unpack(char **bytes, size_t *len, size_t max, struct err *e)
{
	struct str out = STR_INIT;
	int r;

	if (starts_with(*bytes, *len, gzip_magic, sizeof gzip_magic))
		r = unpack_gzip(*bytes, *len, max, &out, e);
	else if (starts_with(*bytes, *len, xz_magic, sizeof xz_magic))
		r = unpack_xz(*bytes, *len, max, &out, e);
	else
		return 0;
	if (r < 0) {
		str_release(&out);
		return r;
	}
	free(*bytes);
	*len = out.len;
	*bytes = str_detach(&out);
	return 0;
}
