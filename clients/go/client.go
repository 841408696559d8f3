package pinion

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// Never changes once it is among a connection's options.
type client struct {
	header     string
	pins       map[string]string // by gRPC service
	defaultPin string
	passOn     bool
	notices    *notices
}

// One call that is under way.
type call struct {
	client      *client
	grpcService string
	responses   []*Response
	told        bool
}

func (c *client) begin(ctx context.Context, method string, options []grpc.CallOption) (context.Context, *call) {
	grpcService, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	begun := &call{client: c, grpcService: grpcService}
	for _, option := range options {
		if resolved, ok := option.(resolvedOption); ok {
			*resolved.response = Response{}
			begun.responses = append(begun.responses, resolved.response)
		}
	}
	sent, _ := metadata.FromOutgoingContext(ctx)
	var chain map[string]string
	if c.passOn {
		chain = pinsOf(ctx)
	}
	pin := c.pinFor(grpcService, sent, chain, options)
	if pin == "" && len(chain) == 0 {
		return ctx, begun
	}
	sent = sent.Copy()
	if pin != "" {
		sent.Set(c.header, sendable(pin))
	}
	if len(chain) > 0 {
		sent.Set(c.header+chainSuffix, sendable(formatPins(chain)))
	}
	return metadata.NewOutgoingContext(ctx, sent), begun
}

// `text` as metadata can hold it, with "?" for the rest: whoever reads it then refuses it as malformed, where gRPC would only say that
// it cannot be sent.
func sendable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
}

// Reads what the gateway said, from the first metadata that has it: an answer without messages has it in its trailers.
func (k *call) tell(said metadata.MD) {
	versions := said.Get(k.client.header)
	if k.told || len(versions) == 0 {
		return
	}
	k.told = true
	notice := noticeIn(said, k.grpcService, versions[len(versions)-1])
	for _, response := range k.responses {
		*response = Response{Version: versions[len(versions)-1], Notice: notice}
	}
	if notice != nil {
		k.client.notices.tell(*notice)
	}
}

func (c *client) unary(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker,
	options ...grpc.CallOption) error {
	ctx, begun := c.begin(ctx, method, options)
	var header, trailer metadata.MD
	err := invoke(ctx, method, request, reply, conn, append(slices.Clip(options), grpc.Header(&header), grpc.Trailer(&trailer))...)
	begun.tell(header)
	begun.tell(trailer)
	return typed(err)
}

func (c *client) stream(ctx context.Context, description *grpc.StreamDesc, conn *grpc.ClientConn, method string,
	open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, begun := c.begin(ctx, method, options)
	opened, err := open(ctx, description, conn, method, options...)
	if err != nil {
		return nil, typed(err)
	}
	return &stream{ClientStream: opened, call: begun}, nil
}

type stream struct {
	grpc.ClientStream
	call *call // of the goroutine that receives
}

func (s *stream) RecvMsg(message any) error {
	err := s.ClientStream.RecvMsg(message)
	if !s.call.told {
		// Does not wait: headers have come before whatever RecvMsg returned.
		if header, headerErr := s.ClientStream.Header(); headerErr == nil {
			s.call.tell(header)
		}
		if err != nil {
			s.call.tell(s.ClientStream.Trailer())
		}
	}
	return typed(err)
}

func (s *stream) Header() (metadata.MD, error) {
	header, err := s.ClientStream.Header()
	return header, typed(err)
}
