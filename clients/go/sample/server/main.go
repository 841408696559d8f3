// A greeter that keeps itself registered as one version of the service `greeter`, until SIGTERM or Ctrl-C.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
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

// A registry whose machine has vanished is noticed before a lease of 15 s ends.
var alive = grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second, PermitWithoutStream: true})

// To the registry; over TLS and with a token where it asks who calls.
func connect(address, ca, tokenFile string) (*grpc.ClientConn, error) {
	if ca == "" && tokenFile != "" {
		return nil, errors.New("a token is only sent over TLS: -token-file needs -tls-ca")
	}
	if ca == "" {
		return grpc.NewClient(address, alive, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	trusted, err := credentials.NewClientTLSFromFile(ca, "")
	if err != nil {
		return nil, err
	}
	options := []grpc.DialOption{alive, grpc.WithTransportCredentials(trusted)}
	if tokenFile != "" {
		options = append(options, grpc.WithPerRPCCredentials(pinion.TokenFile(tokenFile)))
	}
	return grpc.NewClient(address, options...)
}

func run() error {
	registryAddress := flag.String("registry", "127.0.0.1:8081", "the registry, HOST:PORT or unix:PATH")
	ca := flag.String("tls-ca", "", "who signs the registry's certificate; without it, no TLS")
	tokenFile := flag.String("token-file", "", "what the registry is shown")
	version := flag.String("version", "1.0.0", "the API version that this server serves")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	registry, err := connect(*registryAddress, *ca, *tokenFile)
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
