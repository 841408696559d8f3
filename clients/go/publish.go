package pinion

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// The names of the services that the server offers under its API's version: not those of gRPC itself.
func apiServices(server *grpc.Server) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(server.GetServiceInfo())), func(name string) bool {
		return strings.HasPrefix(name, "grpc.")
	})
}

// The serialised FileDescriptorSet of these services with all that they import, each file after its imports.
func descriptorSet(grpcServices []string) ([]byte, error) {
	set := &descriptorpb.FileDescriptorSet{}
	seen := map[string]bool{}
	for _, name := range grpcServices {
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		if err != nil {
			return nil, fmt.Errorf("no descriptor of %s is linked into this program: %w", name, err)
		}
		addFile(set, seen, found.ParentFile())
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(set)
}

func addFile(set *descriptorpb.FileDescriptorSet, seen map[string]bool, file protoreflect.FileDescriptor) {
	if seen[file.Path()] {
		return
	}
	seen[file.Path()] = true
	for i := range file.Imports().Len() {
		addFile(set, seen, file.Imports().Get(i).FileDescriptor)
	}
	set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
}
