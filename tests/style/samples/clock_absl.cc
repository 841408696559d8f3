// sample: gateway/proxy/call.cc expects clock
absl::Time F() { return absl::Now(); }
