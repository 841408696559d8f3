// What the admin port answers: one function from a request to a page. Thread-safe if the sources
// are; does no I/O.
#pragma once

#include <string>
#include <string_view>

#include "gateway/admin/sources.h"

namespace pinion::admin {

struct Request {
  std::string_view method;
  std::string_view path;      // decoded, without the query
  std::string_view filter;    // /stats: only lines that contain it
  std::string_view registry;  // /accept: the registry's id
};

struct Page {
  int status = 200;
  std::string content_type;
  std::string body;
  std::string allow = "GET, HEAD";  // said with status 405
};

// GET and HEAD alike: who serves the page leaves a HEAD's body out.
//   /             index
//   /healthz      200 as long as the process answers; says whether the route table is frozen
//   /readyz       200 once a route table is in place and while calls are taken, else 503; its
//                 revision and age, and whether it is frozen. Of a registry alone: 200 while its
//                 store answers
//   /metrics      Prometheus text, also at /stats/prometheus
//   /stats        the same values for people, a line each
//   /config_dump  JSON: the running configuration (loads again as a file) and a summary of the
//                 route table and of the registry, as far as they are in this process
// POST only:
//   /accept       takes over what ?registry=ID says although it was refused; 409 when it was not,
//                 or there is no gateway
class Pages {
 public:
  explicit Pages(Sources sources) : sources_(std::move(sources)) {}

  Page Answer(const Request& request) const;

 private:
  Page Health() const;
  Page Ready() const;
  Page GatewayReady() const;
  Page Accept(const Request& request) const;
  Page ConfigDump() const;
  Page Stats(std::string_view filter) const;

  const Sources sources_;
};

// In Prometheus' text format 0.0.4.
std::string PrometheusText(const std::vector<MetricFamily>& families);

}  // namespace pinion::admin
