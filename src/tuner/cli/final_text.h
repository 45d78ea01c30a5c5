#ifndef CLI_FINAL_TEXT_H
#define CLI_FINAL_TEXT_H

#include <stdio.h>

#include "tuner/daemon/record_final.h"

/* What a final found, in a few lines: winner, who is tied with it, who is out and why. */
void final_print(const struct final_record *f, FILE *to);
/* Every finalist's figures. */
void final_print_table(const struct final_record *f, FILE *to);

#endif
