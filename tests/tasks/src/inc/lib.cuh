static __device__ float plus(float a, float b)
{
	return a + b;
}
