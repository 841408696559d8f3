// sample: gateway/proxy/call.cc expects raw-new
Call* F() { return new Call; }
