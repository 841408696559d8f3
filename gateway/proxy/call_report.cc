// How an ended call is counted and logged: the part of Call that looks back. Declared in call.h.
#include "gateway/access_log/sink.h"
#include "gateway/proxy/call.h"
#include "gateway/proxy/downstream.h"
#include "gateway/proxy/proxy.h"

namespace pinion::proxy {

void Call::Report() {
  // A status that waits behind DATA when the call ends never went.
  const bool said = response_.done() || trail_.reset_by() == "instance";
  const int grpc_status = said && grpc_ ? grpc_status_ : -1;
  Stats& stats = proxy_.stats();
  stats.calls.Subtract();
  const size_t code = CodeIndex(grpc_status);
  stats.calls_by_code[code].Add();
  stats.request_bytes.Add(request_.forwarded_bytes());
  stats.response_bytes.Add(response_.forwarded_bytes());
  if (route_.version != nullptr) {
    proxy_.usage().End(*route_.version);
    VersionStats& version = stats.by_version.Of(*route_.version);
    const ConsumerClass consumer =
        caller_.consumer.has_value() ? ConsumerClass::kRegistered : ConsumerClass::kUnregistered;
    version.calls[static_cast<size_t>(consumer)][code].Add();
    version.durations.Observe(proxy_.loop().now() - started_);
    version.request_bytes.Add(request_.forwarded_bytes());
    version.response_bytes.Add(response_.forwarded_bytes());
  }
  if (trail_.error_kind().has_value()) {
    stats.by_version.OfService(ServiceName()).errors[*trail_.error_kind()].Add();
  }
  if (access_log::Sink* sink = proxy_.access_log(); sink != nullptr) Log(*sink, grpc_status);
}

// Only of services that the table has: what callers make up becomes no label.
absl::string_view Call::ServiceName() const {
  if (route_.service != nullptr) return route_.service->name;
  const route::ServiceEntry* service = table_->FindService(trail_.service());
  return service == nullptr ? absl::string_view() : service->name;
}

void Call::Log(access_log::Sink& sink, int grpc_status) const {
  access_log::Record record;
  record.grpc_status = grpc_status;
  record.trace_id = trace_.trace_id();
  const bool answered = trail_.answered() != absl::InfinitePast();
  if (grpc_ ? answered && trail_.http_status() != 200 : trail_.reset_by().empty()) {
    record.http_status = trail_.http_status();
  }
  const bool ok = record.ok() && trail_.error().empty() && trail_.reset_by().empty();
  if (!sink.Wants(ok, record.trace_id)) return;
  const absl::Time now = proxy_.loop().now();
  record.start = sink.WallTime(started_, now);
  record.listener = downstream_->listener().name;
  record.peer = downstream_->peer();
  if (caller_.consumer.has_value()) record.consumer = caller_.consumer->name;
  record.method = path_;
  if (route_.service != nullptr) {
    record.service = route_.service->name;
    record.version = route_.version->name;
    record.source = route::SourceName(route_.source);
    record.asked = route_.asked;
  } else {
    record.service = trail_.service();
    record.source = trail_.source();
    record.asked = trail_.asked();
  }
  record.attempts = attempts_.count();
  if (attempts_.opened_at() != absl::InfinitePast()) {
    record.instance = attempts_.instance().uid;
    record.upstream = attempts_.instance().address;
    record.upstream_wait = attempts_.opened_at() - started_;
  }
  record.error = trail_.error();
  record.message = trail_.message();
  record.reset = trail_.reset();
  record.reset_by = trail_.reset_by();
  record.request_bytes = request_.forwarded_bytes();
  record.response_bytes = response_.forwarded_bytes();
  record.duration = now - started_;
  if (answered) record.first_byte = trail_.answered() - started_;
  sink.Write(record);
}

}  // namespace pinion::proxy
