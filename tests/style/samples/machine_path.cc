// sample: base/x.cc expects machine-path
const char kPath[] = "/home/someone/pinion";
