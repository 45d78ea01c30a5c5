/* y = a * x + y with knobs that cost nothing to compile: for end-to-end tests of whole runs. FAIL
 * misbehaves on request, INERT is read by nobody. */
#if FAIL == 1
#error "asked for a compile error"
#endif

void axpy(const float *x, float *y, int n, float a)
{
	for (int i = 0; i < n; i += CHUNK)
		for (int j = i; j < n && j < i + CHUNK; j++)
#if FAIL == 2
			y[j] = a * x[j];
#else
			y[j] = a * x[j] + y[j];
#endif
}

void axpy_reference(const float *x, float *y, int n, float a)
{
	for (int i = 0; i < n; i++)
		y[i] = a * x[i] + y[i];
}
