// sample: gateway/proxy/call.cc expects assert
void F(int n) { assert(n > 0); }
