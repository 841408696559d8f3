package pinion

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// A pin holds for one hop: the gateway takes the header that asks for a version out of what it forwards. Pins for a whole chain of
// calls travel beside it, in metadata of the header's name with this suffix: "acme.people.People=^2, acme.billing.Billing=1.4.0".
const (
	chainSuffix   = "-context"
	chainBytesMax = 4096
)

type pinsKey struct{}

// Never changed once it is in a context; nil: none.
func pinsOf(ctx context.Context) map[string]string {
	pins, _ := ctx.Value(pinsKey{}).(map[string]string)
	return pins
}

// ContextWithPins adds pins, by gRPC service, to those that `ctx` carries. Connections with [PassOn] follow them, and the servers
// behind these too if they have [ChainServerOptions] and pass their context on.
func ContextWithPins(ctx context.Context, pins map[string]string) context.Context {
	all := maps.Clone(pinsOf(ctx))
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, pins)
	return context.WithValue(ctx, pinsKey{}, all)
}

// PinsFromContext is what ContextWithPins and ChainServerOptions have put there.
func PinsFromContext(ctx context.Context) map[string]string { return maps.Clone(pinsOf(ctx)) }

// ChainServerOptions take the pins that a caller has passed on into the contexts of handlers. A malformed list is refused with
// InvalidArgument. `header` is the gateway's; empty: "api-version".
func ChainServerOptions(header string) []grpc.ServerOption {
	if header == "" {
		header = defaultHeader
	}
	name := strings.ToLower(header) + chainSuffix
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			ctx, err := receivePins(ctx, name)
			if err != nil {
				return nil, err
			}
			return handle(ctx, request)
		}),
		grpc.ChainStreamInterceptor(func(server any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			ctx, err := receivePins(s.Context(), name)
			if err != nil {
				return err
			}
			return handle(server, &chainedStream{ServerStream: s, ctx: ctx})
		}),
	}
}

type chainedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *chainedStream) Context() context.Context { return s.ctx }

func receivePins(ctx context.Context, name string) (context.Context, error) {
	received := metadata.ValueFromIncomingContext(ctx, name)
	if len(received) == 0 {
		return ctx, nil
	}
	pins, err := parsePins(strings.Join(received, ","))
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "the metadata `%s` is malformed: %v", name, err)
	}
	return ContextWithPins(ctx, pins), nil
}

func parsePins(text string) (map[string]string, error) {
	if len(text) > chainBytesMax {
		return nil, fmt.Errorf("%d bytes, the limit is %d", len(text), chainBytesMax)
	}
	pins := map[string]string{}
	for _, entry := range strings.Split(text, ",") {
		grpcService, expression, _ := strings.Cut(strings.TrimSpace(entry), "=")
		if grpcService == "" || expression == "" {
			return nil, fmt.Errorf("`%s` is not SERVICE=EXPRESSION", entry)
		}
		pins[grpcService] = expression
	}
	return pins, nil
}

func formatPins(pins map[string]string) string {
	entries := make([]string, 0, len(pins))
	for _, grpcService := range slices.Sorted(maps.Keys(pins)) {
		entries = append(entries, grpcService+"="+pins[grpcService])
	}
	return strings.Join(entries, ", ")
}
