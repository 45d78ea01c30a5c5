#include "tuner/daemon/lines.h"

#include <string.h>

void lines_init(struct lines *l, size_t max)
{
	*l = (struct lines){ .max = max };
	str_init(&l->bytes);
}

void lines_release(struct lines *l)
{
	str_release(&l->bytes);
}

void lines_add(struct lines *l, const void *bytes, size_t len)
{
	enum { KEEP = 1 << 20 };

	str_drop(&l->bytes, l->next);
	l->seen -= l->next;
	l->next = 0;
	if (!l->bytes.len && l->bytes.cap > KEEP)
		str_release(&l->bytes); /* one long line must not cost memory for ever */
	str_add(&l->bytes, bytes, len);
}

bool lines_take(struct lines *l, char **ret, size_t *ret_len)
{
	char *from = l->bytes.data + l->seen;
	char *end = memchr(from, '\n', l->bytes.len - l->seen);

	if (!end) {
		l->seen = l->bytes.len;
		return false;
	}
	if ((size_t)(end - l->bytes.data) - l->next > l->max) {
		l->over = true;
		return false;
	}
	*end = '\0';
	*ret = l->bytes.data + l->next;
	*ret_len = (size_t)(end - *ret);
	l->next = l->seen = (size_t)(end + 1 - l->bytes.data);
	return true;
}

bool lines_over(const struct lines *l)
{
	return l->over || l->seen - l->next > l->max;
}
