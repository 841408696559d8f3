// sample: gateway/proxy/call.cc expects print
void F() { std::cerr << 1; }
