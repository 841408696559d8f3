package pinion

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	_ "google.golang.org/protobuf/types/known/durationpb" // which the schema imports
)

// The registry's API is called with dynamic messages, made from a schema in text: the module has no generated code to go stale,
// and no names in the program's registry of protobuf types that could meet those of a program that has generated the API itself.
//
//go:embed registry_schema.txtpb
var registrySchema string

const registryPackage protoreflect.FullName = "pinion.registry.v1"

// What the requests hold, as proto-JSON has it. An answer's fields that are not named here are passed over.
type (
	publishRequest struct {
		Service       string   `json:"service"`
		Name          string   `json:"name"`
		DescriptorSet []byte   `json:"descriptorSet,omitempty"`
		Notes         string   `json:"notes,omitempty"`
		Owner         string   `json:"owner,omitempty"`
		GRPCServices  []string `json:"grpcServices,omitempty"`
	}
	socketAddress struct {
		Address   string `json:"address"`
		PortValue uint32 `json:"portValue"`
	}
	pipe struct {
		Path string `json:"path"`
	}
	address struct {
		SocketAddress *socketAddress `json:"socketAddress,omitempty"`
		Pipe          *pipe          `json:"pipe,omitempty"`
	}
	instance struct {
		Service string  `json:"service"`
		Version string  `json:"version"`
		UID     string  `json:"uid,omitempty"`
		Address address `json:"address"`
		TLSName string  `json:"tlsName,omitempty"`
		Weight  uint32  `json:"weight,omitempty"`
		Zone    string  `json:"zone,omitempty"`
	}
	registerRequest struct {
		Instance instance `json:"instance"`
		LeaseTTL string   `json:"leaseTtl"`
		Owner    string   `json:"owner,omitempty"`
	}
	registerResponse struct {
		Instance struct {
			Instance instance `json:"instance"`
		} `json:"instance"`
	}
	uidRequest struct {
		UID string `json:"uid"`
	}
)

type registry struct {
	conn  grpc.ClientConnInterface
	actor string
	files *protoregistry.Files
}

func newRegistry(conn grpc.ClientConnInterface, actor string) (*registry, error) {
	files, err := parseSchema()
	if err != nil {
		return nil, fmt.Errorf("the registry's schema: %w", err)
	}
	return &registry{conn: conn, actor: actor, files: files}, nil
}

func parseSchema() (*protoregistry.Files, error) {
	var set descriptorpb.FileDescriptorSet
	if err := prototext.Unmarshal([]byte(registrySchema), &set); err != nil {
		return nil, err
	}
	files := &protoregistry.Files{}
	for _, description := range set.File {
		file, err := protodesc.NewFile(description, resolver{files})
		if err != nil {
			return nil, err
		}
		if err := files.RegisterFile(file); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// Our own files first, then those of the program, which has google/protobuf/duration.proto.
type resolver struct{ own *protoregistry.Files }

func (r resolver) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if file, err := r.own.FindFileByPath(path); err == nil {
		return file, nil
	}
	return protoregistry.GlobalFiles.FindFileByPath(path)
}

func (r resolver) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if found, err := r.own.FindDescriptorByName(name); err == nil {
		return found, nil
	}
	return protoregistry.GlobalFiles.FindDescriptorByName(name)
}

func (r *registry) message(name protoreflect.Name) (*dynamicpb.Message, error) {
	found, err := r.files.FindDescriptorByName(registryPackage.Append(name))
	if err != nil {
		return nil, err
	}
	return dynamicpb.NewMessage(found.(protoreflect.MessageDescriptor)), nil
}

// Calls `method` with what `request` holds; `response` may be nil. A refusal is a *Refusal.
func (r *registry) call(ctx context.Context, timeout time.Duration, method protoreflect.Name, request, response any) error {
	sent, err := r.message(method + "Request")
	if err != nil {
		return err
	}
	received, err := r.message(method + "Response")
	if err != nil {
		return err
	}
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if err := protojson.Unmarshal(text, sent); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if r.actor != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "pinion-actor", r.actor)
	}
	path := fmt.Sprintf("/%s.Registry/%s", registryPackage, method)
	if err := r.conn.Invoke(ctx, path, sent, received); err != nil {
		return typed(err)
	}
	if response == nil {
		return nil
	}
	text, err = protojson.Marshal(received)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, response)
}
