// sample: protos/pinion/config/v1/config.pb.cc expects generated
int x;
