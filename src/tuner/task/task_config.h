#ifndef TASK_CONFIG_H
#define TASK_CONFIG_H

/* Configurations as JSON text, and the identity of results: see task.h for what it offers. */
#include "tuner/task/task_bind.h"

#endif
