// sample: gateway/worker/worker.cc expects detach
void F(std::thread& t) { t.detach(); }
