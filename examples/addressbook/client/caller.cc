#include "examples/addressbook/client/caller.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace addressbook {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr char kConsumerHeader[] = "api-consumer";
constexpr char kVersionHeader[] = "api-version";

// One call, its operations one after the other.
class Exchange {
 public:
  Exchange(const std::shared_ptr<grpc::Channel>& channel, const CallerOptions& options,
           const MethodDescriptor& method) {
    context_.set_deadline(absl::ToChronoTime(pinion::SystemClock().Wall() + options.timeout));
    if (!options.consumer.empty()) context_.AddMetadata(kConsumerHeader, options.consumer);
    if (!options.api_version.empty()) context_.AddMetadata(kVersionHeader, options.api_version);
    const std::string path = absl::StrCat("/", method.service()->full_name(), "/", method.name());
    call_ = grpc::TemplatedGenericStub<Message, Message>(channel).PrepareCall(&context_, path,
                                                                              &operations_);
    call_->StartCall(this);
    Done();
  }

  // False: the call has ended; Finish() says how.
  bool Write(const Message& request) {
    call_->Write(request, this);
    return Done();
  }
  void WritesDone() {
    call_->WritesDone(this);
    Done();
  }
  bool Read(Message& response) {
    call_->Read(&response, this);
    return Done();
  }
  grpc::Status Finish() {
    grpc::Status status;
    call_->Finish(&status, this);
    Done();
    return status;
  }

  // Response metadata; a call that was refused has it beside its status. REQUIRES: Finish() was
  // called.
  std::string Metadata(const char* name) const {
    for (const auto* metadata :
         {&context_.GetServerInitialMetadata(), &context_.GetServerTrailingMetadata()}) {
      const auto found = metadata->find(name);
      if (found != metadata->end()) return std::string(found->second.data(), found->second.size());
    }
    return "";
  }

 private:
  bool Done() {
    void* tag = nullptr;
    bool ok = false;
    return operations_.Next(&tag, &ok) && ok;
  }

  grpc::CompletionQueue operations_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Message, Message>> call_;
};

}  // namespace

Caller::Caller(const Schema& schema, CallerOptions options)
    : schema_(schema),
      options_(std::move(options)),
      channel_(grpc::CreateChannel(options_.target, grpc::InsecureChannelCredentials())) {}

Answer Caller::Call(const std::string& method, const std::vector<Fields>& requests) const {
  Answer answer;
  const MethodDescriptor* descriptor = schema_.FindMethod(method);
  if (descriptor == nullptr) {
    answer.status = {grpc::INVALID_ARGUMENT, absl::StrCat("this schema has no method ", method)};
    return answer;
  }
  std::vector<std::unique_ptr<Message>> messages;
  for (const Fields& fields : requests) {
    messages.push_back(schema_.NewRequest(*descriptor));
    const absl::Status set = SetFields(fields, *messages.back());
    if (set.ok()) continue;
    answer.status = {grpc::INVALID_ARGUMENT, std::string(set.message())};
    return answer;
  }

  Exchange exchange(channel_, options_, *descriptor);
  for (const auto& message : messages) {
    if (!exchange.Write(*message)) break;
  }
  exchange.WritesDone();
  while (true) {
    auto response = schema_.NewResponse(*descriptor);
    if (!exchange.Read(*response)) break;
    answer.messages.push_back(std::move(response));
  }
  answer.status = exchange.Finish();
  answer.api_version = exchange.Metadata(kVersionHeader);
  return answer;
}

}  // namespace addressbook
