// sample: gateway/proxy/call_test.cc expects clock
auto F() { return std::chrono::steady_clock::now(); }
