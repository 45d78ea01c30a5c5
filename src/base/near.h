#ifndef BASE_NEAR_H
#define BASE_NEAR_H

/*
 * The name that a mistyped word was most likely meant to be: the least Damerau-Levenshtein distance
 * (restricted, so a swap of neighbours counts once) of at most a third of the word's length, and
 * of at least one edit. NULL: nothing is near.
 */
const char *near_name(const char *word, const char *const *names, int n);

#endif
