// sample: gateway/http2/session.cc expects arrow
#include "pinion/routing/v1/routing.pb.h"
