#ifndef SEARCH_FIELD_H
#define SEARCH_FIELD_H

#include "tuner/search/gp.h"

/*
 * Candidates and what a Gaussian process says of them: for each one a column of V = L^-1 K is kept,
 * so that a new point costs one pass over the candidates. They lie in blocks, the columns of a
 * block beside one another, as vector units like it.
 */
enum { FIELD_LANES = 32 };

struct field {
	int params;
	int n;		    /* candidates */
	int room_rows;	    /* most points of the process */
	int room_block;	    /* blocks allocated */
	int n_row;	    /* points that V knows */
	uint16_t *position; /* [(block * params + param) * FIELD_LANES + lane] */
	bool *alike;	    /* [block * params + param]: all lanes have one position */
	float *v;	    /* [(block * room_rows + row) * FIELD_LANES + lane] */
	float *square;	    /* of each candidate: sum of its column's squares */
	float *mean;	    /* of each candidate, after field_predict */
};

void field_init(struct field *f, int params, int room_rows);
void field_release(struct field *f);

void field_clear(struct field *f); /* no candidates */
void field_add(struct field *f, const uint16_t *config);
void field_forget(struct field *f); /* the candidates stay, the process is another one */
void field_get(const struct field *f, int candidate, uint16_t *ret);

/* Takes in the points added to the process since, and predicts from its whitened targets. */
void field_predict(struct field *f, const struct gp *g, const double *whitened);

/*
 * The candidate with the highest expected improvement on `best` (Jones, Schonlau and Welch, 1998),
 * deviations stretched by `greed`; those that `taken` says yes to are left out. -1: no candidate
 * promises any.
 */
struct field_aim {
	double best;
	double variance; /* of the process */
	double greed;
	double nugget; /* what each configuration has of its own, as a share of it */
	bool (*taken)(void *ctx, const uint16_t *config);
	void *ctx;
};
int field_choose(const struct field *f, const struct field_aim *aim);

#endif
