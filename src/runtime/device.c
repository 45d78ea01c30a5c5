#include "runtime/device.h"

#include <string.h>

static const char *const names[] = {
#define X(id, name, help) name,
	DEVICE_ATTR_MAP(X)
#undef X
};

const char *device_attr_name(enum device_attr a)
{
	return names[a];
}

int device_attr_parse(const char *name, enum device_attr *ret)
{
	for (int i = 0; i < DEVICE_ATTR_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum device_attr)i;
			return 0;
		}
	}
	return -1;
}
