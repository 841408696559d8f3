// sample: base/x.h expects pragma-once
extern int x;
