#include "runtime/cuda_graph.h"

#include "runtime/cuda_clock.h"

enum { SPIN_US = 25 };

static int spin(struct session *s)
{
	int64_t khz = s->device.attr[DEVICE_CLOCK_KHZ];
	int64_t cycles = (khz > 0 ? khz : 1000000) * SPIN_US / 1000;
	void *arguments[] = { &cycles };

	return s->cu.launch(s->spin, 1, 1, 1, 1, 1, 1, 0, s->stream, arguments, NULL);
}

int timing_begin(struct session *s)
{
	int result = spin(s);

	return result == CUDA_OK ? s->cu.event_record(s->start, s->stream) : result;
}

static int read_events(struct session *s, double *ret_ns)
{
	float ms = 0;
	int result = s->cu.event_sync(s->end);

	if (result == CUDA_OK)
		result = s->cu.event_elapsed(&ms, s->start, s->end);
	*ret_ns = (double)ms * 1e6;
	return result;
}

int timing_end(struct session *s, double *ret_ns)
{
	int result = s->cu.event_record(s->end, s->stream);

	return result == CUDA_OK ? read_events(s, ret_ns) : result;
}

int graph_time(struct session *s, struct cuda_exec *exec, double *ret_ns)
{
	int result = timing_begin(s);

	if (result == CUDA_OK)
		result = s->cu.graph_launch(exec, s->stream);
	return result == CUDA_OK ? timing_end(s, ret_ns) : result;
}

int graph_time_clocked(struct session *s, struct cuda_exec *exec, int stretch, double *ret_ns)
{
	int result = spin(s);

	if (result == CUDA_OK)
		result = clock_start(s, stretch);
	if (result == CUDA_OK)
		result = s->cu.event_record(s->start, s->stream);
	if (result == CUDA_OK)
		result = s->cu.graph_launch(exec, s->stream);
	if (result == CUDA_OK)
		result = s->cu.event_record(s->end, s->stream);
	if (result == CUDA_OK)
		result = clock_end(s, stretch);
	return result == CUDA_OK ? read_events(s, ret_ns) : result;
}

/* A capture must be ended even when something in it failed, or the stream is of no use any more. */
int graph_build(struct session *s, int (*queue)(void *context, int i), void *context, int n,
		struct cuda_exec **ret)
{
	struct cuda_graph *graph = NULL;
	int result = s->cu.capture_begin(s->stream, CUDA_CAPTURE_THREAD_LOCAL), ended;

	if (result != CUDA_OK)
		return result;
	for (int i = 0; i < n && result == CUDA_OK; i++)
		result = queue(context, i);
	ended = s->cu.capture_end(s->stream, &graph);
	if (result == CUDA_OK)
		result = ended;
	if (result == CUDA_OK)
		result = s->cu.graph_instantiate(ret, graph, 0);
	if (result == CUDA_OK)
		result = s->cu.graph_upload(*ret, s->stream);
	if (graph)
		s->cu.graph_destroy(graph);
	return result;
}
