// sample: gateway/worker/worker.cc expects confined-header
#include <grpcpp/grpcpp.h>
