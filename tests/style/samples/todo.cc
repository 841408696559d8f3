// sample: base/x.cc expects todo
int x;  // TODO: the rest
