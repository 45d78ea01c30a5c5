#include "base/near.h"

#include <stddef.h>
#include <string.h>

enum { WORD_MAX = 40 };

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int edits(const char *a, int la, const char *b, int lb)
{
	int d[WORD_MAX + 1][WORD_MAX + 1];

	for (int i = 0; i <= la; i++)
		d[i][0] = i;
	for (int j = 0; j <= lb; j++)
		d[0][j] = j;
	for (int i = 1; i <= la; i++) {
		for (int j = 1; j <= lb; j++) {
			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
					d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[la][lb];
}

const char *near_name(const char *word, const char *const *names, int n)
{
	int length = (int)strnlen(word, WORD_MAX);
	int allowed = length / 3 > 1 ? length / 3 : 1;
	const char *nearest = NULL;

	for (int i = 0; i < n; i++) {
		int d = edits(word, length, names[i], (int)strnlen(names[i], WORD_MAX));

		if (d <= allowed && d < length) {
			allowed = d - 1;
			nearest = names[i];
		}
	}
	return nearest;
}
