// sample: base/x.cc expects volatile
volatile int stop;
