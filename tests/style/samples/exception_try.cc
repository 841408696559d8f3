// sample: registry/model/x.cc expects exception
void F() {
  try {
    G();
  } catch (...) {
  }
}
