package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"maps"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"pinion.example/clients/go"
	pb "pinion/tests/conformance/clients/go/echo"
)

const callTimeout = 10 * time.Second

type driver struct {
	connections map[string]*connection
	servers     map[string]*server
}

type connection struct {
	*grpc.ClientConn
	mu      sync.Mutex
	notices []answer
	lines   bytes.Buffer
}

func (d *driver) dial(c command) answer {
	made := &connection{}
	options := []pinion.Option{
		pinion.Logger(slog.New(slog.NewTextHandler(&made.lines, nil))),
		pinion.OnDeprecation(func(notice pinion.Notice) {
			made.mu.Lock()
			defer made.mu.Unlock()
			made.notices = append(made.notices, noticeAnswer(&notice))
		}),
	}
	for grpcService, expression := range c.Pins {
		options = append(options, pinion.Pin(grpcService, expression))
	}
	if c.DefaultPin != "" {
		options = append(options, pinion.DefaultPin(c.DefaultPin))
	}
	if c.Header != "" {
		options = append(options, pinion.Header(c.Header))
	}
	if c.PassOn {
		options = append(options, pinion.PassOn())
	}
	shown, err := c.credentials()
	if err != nil {
		return answer{"failure": err.Error()}
	}
	conn, err := grpc.NewClient(c.Target, append(shown, pinion.DialOptions(options...)...)...)
	if err != nil {
		return answer{"failure": err.Error()}
	}
	made.ClientConn = conn
	d.connections[c.As] = made
	return answer{}
}

// Of the connection, and what each call on it shows.
func (c command) credentials() ([]grpc.DialOption, error) {
	if c.CA == "" {
		return []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(pem)
	if c.Certificate != "" {
		own, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{own}
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(credentials.NewTLS(config))}
	switch {
	case c.APIKey != "":
		options = append(options, grpc.WithPerRPCCredentials(pinion.APIKey{Key: c.APIKey}))
	case c.Token != "":
		options = append(options, grpc.WithPerRPCCredentials(pinion.StaticToken(c.Token)))
	case c.TokenFile != "":
		options = append(options, grpc.WithPerRPCCredentials(pinion.TokenFile(c.TokenFile)))
	}
	return options, nil
}

func (d *driver) call(c command) answer {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	ctx = metadata.NewOutgoingContext(ctx, metadata.New(c.Metadata))
	if len(c.Chain) > 0 {
		ctx = pinion.ContextWithPins(ctx, c.Chain)
	}
	var response pinion.Response
	options := []grpc.CallOption{pinion.Resolved(&response)}
	if c.Pin != "" {
		options = append(options, pinion.WithPin(c.Pin))
	}
	reply, err := say(ctx, pb.NewEchoClient(d.connections[c.As]), c, options)
	said := answer{"version": response.Version, "notice": noticeAnswer(response.Notice)}
	if err != nil {
		said["error"] = errorAnswer(err)
	} else {
		maps.Copy(said, replyAnswer(reply))
	}
	return said
}

func say(ctx context.Context, client pb.EchoClient, c command, options []grpc.CallOption) (*pb.SayReply, error) {
	request := &pb.SayRequest{Through: c.Through}
	switch c.Method {
	case "Later":
		return client.Later(ctx, request, options...)
	case "Repeat":
		stream, err := client.Repeat(ctx, request, options...)
		if err != nil {
			return nil, err
		}
		return stream.Recv()
	default:
		return client.Say(ctx, request, options...)
	}
}

func replyAnswer(reply *pb.SayReply) answer {
	said := answer{"served_by": reply.GetVersion(), "received": reply.GetReceived()}
	if reply.GetThrough() != nil {
		said["through"] = replyAnswer(reply.GetThrough())
	}
	return said
}

func noticeAnswer(notice *pinion.Notice) answer {
	if notice == nil {
		return nil
	}
	said := answer{"service": notice.GRPCService, "version": notice.Version, "deprecated": notice.Deprecated.Unix(), "link": notice.Link}
	if !notice.Sunset.IsZero() {
		said["sunset"] = notice.Sunset.Unix()
	}
	return said
}

func errorAnswer(err error) answer {
	said := answer{"code": int(status.Code(err)), "message": status.Convert(err).Message()}
	var refusal *pinion.Refusal
	if errors.As(err, &refusal) {
		said["refusal"] = answer{"reason": refusal.Reason, "service": refusal.Service, "version": refusal.Version,
			"consumer": refusal.Consumer, "asked": refusal.Asked, "source": refusal.Source, "available": refusal.Available,
			"successor": refusal.Successor, "help": refusal.Help}
	}
	return said
}

// What the connection's callback was told, and the lines of its log.
func (d *driver) told(c command) answer {
	from := d.connections[c.As]
	from.mu.Lock()
	defer from.mu.Unlock()
	return answer{"notices": from.notices, "lines": bytes.Count(from.lines.Bytes(), []byte("\n"))}
}
