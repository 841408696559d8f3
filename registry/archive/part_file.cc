#include "registry/archive/part_file.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace pinion::archive {
namespace {

namespace fs = std::filesystem;

std::string Unfinished(const std::string& path) { return absl::StrCat(path, ".unfinished"); }

}  // namespace

absl::StatusOr<std::unique_ptr<PartFileWriter>> PartFileWriter::Create(const std::string& path,
                                                                       absl::string_view kind) {
  std::error_code error;
  if (fs::exists(path, error)) {
    return absl::AlreadyExistsError(
        absl::StrCat(path, " is there already, and nothing is overwritten: name another file"));
  }
  ASSIGN_OR_RETURN(auto writer, RecordWriter::Create(Unfinished(path)));
  auto file = absl::WrapUnique(new PartFileWriter(path, std::move(writer)));
  RETURN_IF_ERROR(file->writer_->Append(kind));
  return file;
}

PartFileWriter::~PartFileWriter() {
  std::error_code error;
  if (!finished_) fs::remove(Unfinished(path_), error);
}

absl::Status PartFileWriter::Append(const google::protobuf::Message& part) {
  return writer_->Append(part.SerializeAsString());
}

absl::Status PartFileWriter::Finish() {
  RETURN_IF_ERROR(writer_->Sync());
  std::error_code error;
  fs::rename(Unfinished(path_), path_, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("cannot make ", path_, ": ", error.message()));
  }
  finished_ = true;
  const std::string directory = fs::path(path_).parent_path().native();
  return SyncDirectory(directory.empty() ? "." : directory);
}

absl::StatusOr<std::unique_ptr<PartFileReader>> PartFileReader::Open(const std::string& path,
                                                                     absl::string_view kind) {
  ASSIGN_OR_RETURN(auto reader, RecordReader::Open(path));
  auto file = absl::WrapUnique(new PartFileReader(path, std::move(reader)));
  ASSIGN_OR_RETURN(const bool any, file->reader_->Next(file->record_));
  if (!any || file->record_ != kind) {
    return absl::DataLossError(
        absl::StrCat(path, " is not a file of this kind and layout (", kind, ")"));
  }
  return file;
}

absl::StatusOr<bool> PartFileReader::Next(google::protobuf::Message& part) {
  ASSIGN_OR_RETURN(const bool any, reader_->Next(record_));
  if (any && !part.ParseFromString(record_)) {
    return absl::DataLossError(
        absl::StrCat(path_, " is damaged before byte ", reader_->good_bytes()));
  }
  return any;
}

}  // namespace pinion::archive
