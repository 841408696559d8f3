// sample: gateway/proxy/call.cc expects confined-header
#include <sys/socket.h>
