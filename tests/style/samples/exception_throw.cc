// sample: registry/model/x.cc expects exception
void F() { throw 1; }
