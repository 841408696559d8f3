// sample: gateway/http2/session.cc expects arrow
#include "gateway/net/event_loop.h"
