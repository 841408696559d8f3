// sample: gateway/route/route_table.cc expects include-path
#include "route_table.h"
