package pinion

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// The registry's own schema, made by protoc from the protos that this module lies beside.
func ownSchema(t *testing.T) *protoregistry.Files {
	t.Helper()
	protoc, err := exec.LookPath("protoc")
	if err != nil {
		t.Skip("protoc is not installed")
	}
	made := filepath.Join(t.TempDir(), "registry.binpb")
	command := exec.Command(protoc, "-I../../protos", "--include_imports", "--descriptor_set_out="+made,
		"pinion/registry/v1/registry.proto")
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	data, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(data, &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestOurPartOfTheRegistrysSchema(t *testing.T) {
	theirs := ownSchema(t)
	ours, err := parseSchema()
	if err != nil {
		t.Fatal(err)
	}
	ours.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Messages().Len() {
			message := file.Messages().Get(i)
			found, err := theirs.FindDescriptorByName(message.FullName())
			if err != nil {
				t.Errorf("%s: %v", message.FullName(), err)
				continue
			}
			for j := range message.Fields().Len() {
				compare(t, message.Fields().Get(j), found.(protoreflect.MessageDescriptor))
			}
		}
		return true
	})
	service, err := theirs.FindDescriptorByName(registryPackage.Append("Registry"))
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []protoreflect.Name{"PublishVersion", "RegisterInstance", "RenewInstance", "DeregisterInstance"} {
		if service.(protoreflect.ServiceDescriptor).Methods().ByName(method) == nil {
			t.Errorf("the registry has no %s", method)
		}
	}
}

func compare(t *testing.T, ours protoreflect.FieldDescriptor, message protoreflect.MessageDescriptor) {
	t.Helper()
	theirs := message.Fields().ByNumber(ours.Number())
	if theirs == nil || theirs.Name() != ours.Name() || theirs.Kind() != ours.Kind() || theirs.Cardinality() != ours.Cardinality() {
		t.Errorf("%s is not what the registry has: %v", ours.FullName(), theirs)
	} else if ours.Message() != nil && ours.Message().FullName() != theirs.Message().FullName() {
		t.Errorf("%s is a %s there", ours.FullName(), theirs.Message().FullName())
	}
}
