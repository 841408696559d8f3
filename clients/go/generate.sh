#!/bin/sh
# generate.sh FOLDER FILE: Go stubs of FOLDER/FILE into the current folder, with the plugins that its go.mod names as tools.
set -eu
protoc -I"$1" --plugin=protoc-gen-go="$(go tool -n protoc-gen-go)" --go_out=. --go_opt=paths=source_relative \
  --plugin=protoc-gen-go-grpc="$(go tool -n protoc-gen-go-grpc)" --go-grpc_out=. --go-grpc_opt=paths=source_relative "$2"
