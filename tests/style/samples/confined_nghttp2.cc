// sample: gateway/net/tls.cc expects confined-header
#include <nghttp2/nghttp2.h>
