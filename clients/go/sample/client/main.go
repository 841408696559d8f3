// Greets through a gateway, asking for the version that it was written against.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"pinion.example/clients/go"
	pb "pinion.example/clients/go/sample/greeter"
)

func main() {
	gateway := flag.String("gateway", "127.0.0.1:8080", "where calls go")
	pin := flag.String("pin", "^1", "the version that this program was written against")
	flag.Parse()
	options := append(pinion.DialOptions(pinion.Pin(pb.Greeter_ServiceDesc.ServiceName, *pin)),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(*gateway, options...)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	var response pinion.Response
	reply, err := pb.NewGreeterClient(conn).Greet(ctx, &pb.GreetRequest{Name: "ada"}, pinion.Resolved(&response))
	var refusal *pinion.Refusal
	if errors.As(err, &refusal) {
		log.Fatalf("refused, %s: %s", refusal.Reason, status.Convert(err).Message())
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s (api-version: %s)\n", reply.GetText(), response.Version)
}
