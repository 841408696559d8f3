package pinion

import (
	"log/slog"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

const defaultHeader = "api-version"

// Option is a choice for a connection; see [DialOptions].
type Option func(*client)

// Pin asks for a version of one gRPC service, by its full name such as "acme.people.People". The expression is a version's name, a
// range ("^1.4") or a channel ("@stable"). It stands before whatever pin the registry keeps for this consumer.
func Pin(grpcService, expression string) Option {
	return func(c *client) { c.pins[grpcService] = expression }
}

// DefaultPin asks for a version of every gRPC service that has no Pin.
func DefaultPin(expression string) Option {
	return func(c *client) { c.defaultPin = expression }
}

// Header names the metadata that pins are sent in and versions are told in, where the gateway's is not "api-version".
func Header(name string) Option {
	return func(c *client) { c.header = strings.ToLower(name) }
}

// OnDeprecation is called when a deprecated version answers: once for each different notice, on the goroutine of the call that
// brought it, after its log line.
func OnDeprecation(notify func(Notice)) Option {
	return func(c *client) { c.notices.notify = notify }
}

// Logger takes the line about each deprecated version that answers, slog.Default() unless set; nil: none.
func Logger(logger *slog.Logger) Option {
	return func(c *client) { c.notices.logger = logger }
}

// PassOn makes calls take the pins of their context, see [ContextWithPins], and hand all of them to the server that is called.
func PassOn() Option {
	return func(c *client) { c.passOn = true }
}

// DialOptions are for grpc.NewClient, beside the user's own:
//
//	conn, err := grpc.NewClient(gateway, append(pinion.DialOptions(pinion.Pin("acme.people.People", "^2")),
//		grpc.WithTransportCredentials(creds))...)
func DialOptions(options ...Option) []grpc.DialOption {
	c := &client{header: defaultHeader, pins: map[string]string{}, notices: newNotices(slog.Default())}
	for _, option := range options {
		option(c)
	}
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(c.unary), grpc.WithChainStreamInterceptor(c.stream)}
}

// WithPin asks for a version in one call, whatever else is pinned.
func WithPin(expression string) grpc.CallOption { return pinOption{expression: expression} }

type pinOption struct {
	grpc.EmptyCallOption
	expression string
}

// Response is what the gateway says about the version that answered a call.
type Response struct {
	Version string  // empty: no version did
	Notice  *Notice // nil: it is not deprecated
}

// Resolved fills `response` once the call's answer has begun: before a unary call returns, before the first RecvMsg of a stream
// does.
func Resolved(response *Response) grpc.CallOption { return resolvedOption{response: response} }

type resolvedOption struct {
	grpc.EmptyCallOption
	response *Response
}

// The pin for a call, from the first of: WithPin, the caller's own metadata (which is left alone), the chain, Pin, DefaultPin.
func (c *client) pinFor(grpcService string, sent metadata.MD, chain map[string]string, options []grpc.CallOption) string {
	for _, option := range options {
		if pin, ok := option.(pinOption); ok {
			return pin.expression
		}
	}
	if len(sent.Get(c.header)) > 0 {
		return ""
	}
	if expression, ok := chain[grpcService]; ok {
		return expression
	}
	if expression, ok := c.pins[grpcService]; ok {
		return expression
	}
	return c.defaultPin
}
