// sample: registry/store/x.cc expects print
void F() { printf("x"); }
