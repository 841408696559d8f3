// A greeter that keeps itself registered as one version of the service `greeter`, until SIGTERM or Ctrl-C.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os/signal"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"pinion.example/clients/go"
	pb "pinion.example/clients/go/sample/greeter"
)

type greeter struct {
	pb.UnimplementedGreeterServer
	version string
}

func (g greeter) Greet(_ context.Context, request *pb.GreetRequest) (*pb.GreetReply, error) {
	return &pb.GreetReply{Text: fmt.Sprintf("hello %s, says %s", request.GetName(), g.version)}, nil
}

func run() error {
	registryAddress := flag.String("registry", "127.0.0.1:8081", "the registry, HOST:PORT or unix:PATH")
	version := flag.String("version", "1.0.0", "the API version that this server serves")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	// Elsewhere than on one machine: TLS, and grpc.WithPerRPCCredentials(pinion.StaticToken(…)).
	registry, err := grpc.NewClient(*registryAddress, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer registry.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	pb.RegisterGreeterServer(server, greeter{version: *version})
	return pinion.Serve(ctx, server, listener, registry, pinion.Server{
		Service:      "greeter",
		Version:      *version,
		Publish:      true,
		Actor:        "greeter-sample",
		OnRegistered: func(uid string) { fmt.Println("registered as", uid) },
	})
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
