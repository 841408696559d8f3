// sample: gateway/proxy/call.cc expects raw-new
void F(Call* call) { delete call; }
