// sample: base/x.cc expects using-namespace
using namespace std;
