// sample: gateway/proxy/call.cc expects sleep
void F() { sleep(1); }
