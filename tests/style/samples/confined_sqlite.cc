// sample: registry/service/service.cc expects confined-header
#include <sqlite3.h>
