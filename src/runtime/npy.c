#include "runtime/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { PREAMBLE = 12, HEADER_MAX = 65536 };

static const struct {
	const char *descr;
	enum dtype type;
} descrs[] = {
	{ "|u1", DTYPE_U8 },  { "|i1", DTYPE_I8 },  { "<u2", DTYPE_U16 }, { "<i2", DTYPE_I16 },
	{ "<u4", DTYPE_U32 }, { "<i4", DTYPE_I32 }, { "<u8", DTYPE_U64 }, { "<i8", DTYPE_I64 },
	{ "<f2", DTYPE_F16 }, { "<f4", DTYPE_F32 }, { "<f8", DTYPE_F64 },
};

/* The text behind 'KEY': in the header's Python dictionary, or NULL. */
static const char *value_of(const char *header, const char *key)
{
	const char *at = strstr(header, key);

	if (!at)
		return NULL;
	at += strlen(key);
	at += strspn(at, " ");
	if (*at++ != ':')
		return NULL;
	return at + strspn(at, " ");
}

static int read_descr(const char *path, const char *header, enum dtype *ret, struct err *e)
{
	const char *v = value_of(header, "'descr'");

	for (size_t i = 0; v && i < sizeof descrs / sizeof *descrs; i++) {
		if (v[0] == '\'' && strncmp(v + 1, descrs[i].descr, 3) == 0 && v[4] == '\'') {
			*ret = descrs[i].type;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID,
		       "%s: its element type %.12s is not supported; expected little-endian "
		       "integers or floats, such as '<f4'",
		       path, v ? v : "(none)");
}

/* "(2, 3)", "(5,)" or "()": the product of what stands in it. */
static int read_shape(const char *path, const char *header, int64_t *ret, struct err *e)
{
	const char *v = value_of(header, "'shape'");
	int64_t product = 1;

	if (!v || *v++ != '(')
		goto bad;
	for (;;) {
		unsigned long long dim;
		char *end;

		v += strspn(v, " ,");
		if (*v == ')')
			break;
		errno = 0;
		dim = strtoull(v, &end, 10);
		if (*v < '0' || *v > '9' || errno || __builtin_mul_overflow(product, dim, &product))
			goto bad;
		v = end;
	}
	*ret = product;
	return 0;
bad:
	return err_set(e, ERR_INVALID, "%s: its shape cannot be read", path);
}

static int parse_header(const char *path, const char *header, struct npy *ret, struct err *e)
{
	const char *order = value_of(header, "'fortran_order'");
	int r;

	if (!order || strncmp(order, "False", 5) != 0)
		return err_set(e, ERR_INVALID,
			       "%s: expected C order; save numpy.ascontiguousarray of it", path);
	r = read_descr(path, header, &ret->type, e);
	return r < 0 ? r : read_shape(path, header, &ret->count, e);
}

/* Length of the dictionary and where it starts: 2 bytes of length in version 1, else 4. */
static bool parse_preamble(const uint8_t *b, size_t *ret_len, size_t *ret_start)
{
	if (memcmp(b, "\x93NUMPY", 6) != 0 || b[6] < 1 || b[6] > 3)
		return false;
	*ret_start = b[6] == 1 ? 10 : 12;
	*ret_len = (size_t)b[8] | (size_t)b[9] << 8;
	if (b[6] > 1)
		*ret_len |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
	return *ret_len <= HEADER_MAX;
}

static int check_size(int fd, const char *path, const struct npy *n, struct err *e)
{
	int64_t bytes;
	struct stat st;

	if (fstat(fd, &st))
		return err_sys(e, "%s", path);
	if (__builtin_mul_overflow(n->count, (int64_t)dtype_bytes(n->type), &bytes) ||
	    st.st_size - n->offset < bytes)
		return err_set(e, ERR_INVALID, "%s: cut short: %lld elements do not fit into it",
			       path, (long long)n->count);
	return 0;
}

static int read_header(int fd, const char *path, struct npy *ret, struct err *e)
{
	struct npy n = { .count = 0 };
	size_t len, start;
	uint8_t preamble[PREAMBLE];
	char *header;
	int r;

	if (pread(fd, preamble, sizeof preamble, 0) != PREAMBLE ||
	    !parse_preamble(preamble, &len, &start))
		return err_set(e, ERR_INVALID, "%s: not a .npy file of version 1, 2 or 3", path);
	header = mem_alloc(len + 1);
	if (pread(fd, header, len, (off_t)start) != (ssize_t)len)
		r = err_set(e, ERR_INVALID, "%s: cut short in its header", path);
	else
		r = parse_header(path, header, &n, e);
	free(header);
	if (r < 0)
		return r;
	n.offset = (int64_t)(start + len);
	r = check_size(fd, path, &n, e);
	if (r == 0)
		*ret = n;
	return r;
}

static int open_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "%s", path) : fd;
}

int npy_read_header(const char *path, struct npy *ret, struct err *e)
{
	int fd = open_file(path, e), r;

	if (fd < 0)
		return fd;
	r = read_header(fd, path, ret, e);
	close(fd);
	return r;
}

/* NumPy has no bf16 and no e4m3: their bits come as whole numbers of the same size. */
static bool same_bits(enum dtype file, enum dtype want)
{
	return file == want || (file == DTYPE_U16 && want == DTYPE_BF16) ||
	       (file == DTYPE_U8 && want == DTYPE_E4M3);
}

static int read_elements(int fd, const char *path, int64_t offset, void *out, size_t len,
			 struct err *e)
{
	char *to = out;

	while (len) {
		ssize_t n = pread(fd, to, len, offset);

		if (n < 0 && errno != EINTR)
			return err_sys(e, "%s", path);
		if (n == 0)
			return err_set(e, ERR_INVALID, "%s: it shrank while it was read", path);
		if (n < 0)
			continue;
		to += n;
		offset += n;
		len -= (size_t)n;
	}
	return 0;
}

int npy_load(const char *path, enum dtype type, int64_t count, void *out, struct err *e)
{
	int fd = open_file(path, e), r;
	struct npy n = { .count = -1 };

	if (fd < 0)
		return fd;
	r = read_header(fd, path, &n, e);
	if (r == 0 && (!same_bits(n.type, type) || n.count != count))
		r = err_set(e, ERR_INVALID, "%s: expected %lld elements of %s, found %lld of %s",
			    path, (long long)count, dtype_name(type), (long long)n.count,
			    dtype_name(n.type));
	if (r == 0)
		r = read_elements(fd, path, n.offset, out, (size_t)count * dtype_bytes(type), e);
	close(fd);
	return r;
}
