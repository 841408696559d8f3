// sample: gateway/proxy/call.cc expects arrow
#include "registry/store/store.h"
