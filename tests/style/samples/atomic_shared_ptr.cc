// sample: gateway/worker/worker.cc expects atomic-shared-ptr
std::atomic<std::shared_ptr<const int>> table;
