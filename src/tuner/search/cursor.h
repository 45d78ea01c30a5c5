#ifndef SEARCH_CURSOR_H
#define SEARCH_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tuner/search/rows.h"
#include "tuner/search/space.h"

/*
 * What a space is made of, and a cursor that binds its parameters one by one in their order. Only
 * for space.c, count.c and draw.c; everyone else goes through space.h.
 *
 * A constraint over few combinations is tabled when it is added, so that testing it is a look-up;
 * the others are evaluated. Of a restricted space, the rows that begin with what is bound are a
 * range, which binding one more parameter narrows.
 */
struct param {
	char *name;
	struct value *value;
	int n;
	int first_due; /* of the constraints tested here, in the order they were added; -1: none */
};

struct constraint {
	char *text; /* as the user wrote it */
	struct expr *expr;
	uint8_t *uses; /* parameters, ascending */
	int n_uses;
	int next_due;
	uint8_t *met; /* by the positions of `uses`, the last one varying fastest; NULL: evaluate */
};

struct space {
	struct param param[SPACE_PARAMS_MAX];
	int n;
	struct constraint *constraint;
	int n_constraint;
	struct rows *rows; /* NULL: not restricted */
};

struct cursor {
	const struct space *s;
	uint64_t tested; /* bindings so far */
	uint16_t config[SPACE_PARAMS_MAX];
	struct value slot[SPACE_PARAMS_MAX];
	size_t low[SPACE_PARAMS_MAX + 1]; /* rows [low, high) begin with what is bound so far */
	size_t high[SPACE_PARAMS_MAX + 1];
};

void cursor_init(struct cursor *c, const struct space *s);

/* Binds `param`, all before it being bound. False: no legal configuration goes on this way. */
bool cursor_bind(struct cursor *c, int param, int position);

/* Whether the constraint is met by the parameters bound so far; they include all that it uses. */
bool cursor_meets(const struct cursor *c, const struct constraint *x);

#endif
