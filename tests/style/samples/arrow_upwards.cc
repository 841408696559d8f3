// sample: gateway/route/route_table.cc expects arrow
#include "gateway/worker/worker.h"
