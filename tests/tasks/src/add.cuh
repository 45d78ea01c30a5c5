#pragma once
#include "inc/../add.cuh" /* itself, by another way */
#  include "inc/one.cuh"
