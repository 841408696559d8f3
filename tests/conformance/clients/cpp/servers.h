// Servers that publish and register themselves. Commands come one at a time, on one thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/conformance/clients/cpp/json.h"

namespace driver {

class Servers {
 public:
  Servers();
  ~Servers();

  void Serve(const Json& command, Json& answer);
  void Again(const Json& command, Json& answer);
  void Health(const Json& command, Json& answer);
  void End(const Json& command, Json& answer);

 private:
  class Running;
  std::map<std::string, std::unique_ptr<Running>> servers_;
};

}  // namespace driver
