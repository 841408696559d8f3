package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"pinion.example/clients/go"
	pb "pinion/tests/conformance/clients/go/echo"
)

type server struct {
	address    string
	registered chan string
	stop       context.CancelFunc
	ended      chan error
}

type echo struct {
	pb.UnimplementedEchoServer
	version string
}

func (e echo) Say(ctx context.Context, request *pb.SayRequest) (*pb.SayReply, error) {
	reply := &pb.SayReply{Version: e.version, Received: map[string]string{}}
	received, _ := metadata.FromIncomingContext(ctx)
	for name, values := range received {
		reply.Received[name] = strings.Join(values, ", ")
	}
	if len(request.GetThrough()) == 0 {
		return reply, nil
	}
	options := append(pinion.DialOptions(pinion.PassOn()), grpc.WithTransportCredentials(insecure.NewCredentials()))
	next, err := grpc.NewClient(request.GetThrough()[0], options...)
	if err != nil {
		return nil, err
	}
	defer next.Close()
	reply.Through, err = pb.NewEchoClient(next).Say(ctx, &pb.SayRequest{Through: request.GetThrough()[1:]})
	return reply, err
}

func (e echo) Later(ctx context.Context, request *pb.SayRequest) (*pb.SayReply, error) {
	return e.Say(ctx, request)
}

func (e echo) Repeat(request *pb.SayRequest, stream grpc.ServerStreamingServer[pb.SayReply]) error {
	reply, err := e.Say(stream.Context(), request)
	for i := 0; err == nil && i < 2; i++ {
		err = stream.Send(reply)
	}
	return err
}

// Answers when the server is registered, or when it has ended because it cannot be.
func (d *driver) serve(c command) answer {
	shown, err := c.credentials()
	if err != nil {
		return answer{"failure": err.Error()}
	}
	alive := keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second, PermitWithoutStream: true}
	registry, err := grpc.NewClient(c.Registry, append(shown, grpc.WithKeepaliveParams(alive))...)
	if err != nil {
		return answer{"failure": err.Error()}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return answer{"failure": err.Error()}
	}
	ctx, stop := context.WithCancel(context.Background())
	made := &server{address: listener.Addr().String(), registered: make(chan string, 16), stop: stop, ended: make(chan error, 1)}
	d.servers[c.As] = made
	program := grpc.NewServer(pinion.ChainServerOptions("")...)
	pb.RegisterEchoServer(program, echo{version: c.Version})
	go func() {
		defer registry.Close()
		made.ended <- pinion.Serve(ctx, program, listener, registry, pinion.Server{Service: "echo", Version: c.Version,
			Publish: c.Publish, Lease: time.Duration(c.LeaseSeconds) * time.Second, Actor: "driver",
			OnRegistered: func(uid string) { made.registered <- uid }})
	}()
	return made.wait()
}

func (s *server) wait() answer {
	select {
	case uid := <-s.registered:
		return answer{"uid": uid, "address": s.address}
	case err := <-s.ended:
		s.ended <- err
		if err == nil {
			err = errors.New("ended without a reason")
		}
		return answer{"error": errorAnswer(err)}
	case <-time.After(callTimeout):
		return answer{"failure": "not registered in time"}
	}
}

func (d *driver) health(c command) answer {
	conn, err := grpc.NewClient(d.servers[c.As].address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return answer{"failure": err.Error()}
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	checked, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: pb.Echo_ServiceDesc.ServiceName})
	if err != nil {
		return answer{"error": errorAnswer(err)}
	}
	return answer{"status": checked.GetStatus().String()}
}

// Answers when the server has registered once more.
func (d *driver) again(c command) answer { return d.servers[c.As].wait() }

func (d *driver) end(c command) answer {
	ending := d.servers[c.As]
	ending.stop()
	if err := <-ending.ended; err != nil {
		return answer{"error": errorAnswer(err)}
	}
	return answer{}
}
