// sample: gateway/upstream/util.cc expects vague-name
int x;
