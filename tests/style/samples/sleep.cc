// sample: gateway/proxy/call_test.cc expects sleep
void F() { std::this_thread::sleep_for(d); }
