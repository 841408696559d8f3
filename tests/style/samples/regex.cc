// sample: registry/model/x.cc expects regex
bool F(const std::string& s) { return std::regex_match(s, std::regex("a+")); }
