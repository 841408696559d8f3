// The conformance scenarios' driver for C++: reads commands as JSON, one a line, and answers each
// with a line.
#include <google/protobuf/util/json_util.h>

#include <functional>
#include <iostream>

#include "tests/conformance/clients/cpp/calls.h"
#include "tests/conformance/clients/cpp/servers.h"

int main() {
  using driver::Json;
  driver::Calls calls;
  driver::Servers servers;
  const std::map<std::string, std::function<void(const Json&, Json&)>> verbs = {
      {"dial", [&](const Json& c, Json& a) { calls.Dial(c, a); }},
      {"call", [&](const Json& c, Json& a) { calls.Call(c, a); }},
      {"told", [&](const Json& c, Json& a) { calls.Told(c, a); }},
      {"serve", [&](const Json& c, Json& a) { servers.Serve(c, a); }},
      {"again", [&](const Json& c, Json& a) { servers.Again(c, a); }},
      {"health", [&](const Json& c, Json& a) { servers.Health(c, a); }},
      {"end", [&](const Json& c, Json& a) { servers.End(c, a); }},
  };
  for (std::string line; std::getline(std::cin, line);) {
    Json command;
    Json answer;
    const auto read = google::protobuf::util::JsonStringToMessage(line, &command);
    const auto verb = verbs.find(driver::Text(command, "do"));
    if (!read.ok() || verb == verbs.end()) {
      driver::Set(answer, "failure", "no such command: " + line);
    } else {
      verb->second(command, answer);
    }
    std::string text;
    if (!google::protobuf::util::MessageToJsonString(answer, &text).ok()) return 1;
    std::cout << text << std::endl;
  }
  return 0;
}
