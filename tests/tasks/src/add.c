/* A source for tests of task files. */
#ifndef STEP
#define STEP 1
#endif

void add(const float *a, float *c, int n)
{
	for (int i = 0; i < n; i += STEP)
		for (int j = i; j < n && j < i + STEP; j++)
			c[j] = a[j] + 1;
}

void add_reference(const float *a, float *c, int n)
{
	for (int i = 0; i < n; i++)
		c[i] = a[i] + 1;
}
