/* C = A B, row-major, each element summed in double: what src/kernels/sgemm.c is held against. */
void sgemm_reference(const float *a, const float *b, float *c, int m, int n, int k)
{
	for (int i = 0; i < m; i++) {
		for (int j = 0; j < n; j++) {
			double sum = 0;

			for (int p = 0; p < k; p++)
				sum += (double)a[i * k + p] * b[p * n + j];
			c[i * n + j] = (float)sum;
		}
	}
}
