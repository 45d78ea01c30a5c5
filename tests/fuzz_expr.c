/*
 * Expressions from any bytes: compiling ends, and what compiles runs within its stack and gives the
 * same answer as a whole as the conjunction of its terms. As a plain program it replays the files
 * it is given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "tuner/search/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static int lookup(void *ctx, const char *name, int *ret_slot, struct value *ret_constant)
{
	(void)ctx;
	if (name[1] || name[0] < 'a' || name[0] > 'd') {
		*ret_slot = -1;
		*ret_constant = value_int((int64_t)strlen(name));
		return name[0] == 'z' ? -1 : 0;
	}
	*ret_slot = name[0] - 'a';
	return 0;
}

static bool terms_hold(const struct expr *x, const struct value *slots)
{
	bool hold = true;
	char *text;

	for (int i = 0; (text = expr_term(x, i)); i++) {
		struct expr *term;
		struct err e;

		if (expr_compile(text, lookup, NULL, &term, &e))
			abort();
		hold = hold && expr_holds(term, slots);
		expr_free(term);
		free(text);
	}
	return hold;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct value slots[] = { value_int(0), value_int(-7), value_text("mma"),
				       value_real(0.5) };
	char *text = mem_strndup((const char *)bytes, len);
	struct value v;
	struct expr *x;
	struct err e;

	if (expr_compile(text, lookup, NULL, &x, &e) == 0) {
		int64_t n;

		if (expr_eval(x, slots, &v, &e) && e.code != ERR_INVALID)
			abort();
		if (expr_eval_int(x, slots, 0, 1000, &n, &e) == 0 && (n < 0 || n > 1000))
			abort();
		if (expr_holds(x, slots) != terms_hold(x, slots))
			abort();
		expr_free(x);
	}
	free(text);
	return 0;
}

#ifndef LIBFUZZER
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct err e;
		char *bytes;
		size_t len;

		if (file_read(argv[i], 1 << 20, &bytes, &len, &e)) {
			fprintf(stderr, "%s\n", e.msg);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)bytes, len);
		free(bytes);
	}
	return 0;
}
#endif
