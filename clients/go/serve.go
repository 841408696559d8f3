package pinion

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

const (
	leaseDefault = 15 * time.Second
	drainDefault = 30 * time.Second
)

// Server is a server of one API version, as the registry is to know it. Service and Version are required.
type Server struct {
	Service string // the registry's name, such as "addressbook"
	Version string
	// host:port that gateways reach this server at, or unix:PATH; empty: the listener's own, which must then not be all addresses.
	Address string
	TLSName string // to be called with TLS, under this name
	Weight  uint32 // 0 means 1
	Zone    string
	Owner   string
	// Publish also publishes the version, with the descriptors of the server's services. It is the same request each time, so
	// that any number of servers may make it; a schema that differs from what was published before ends Serve.
	Publish bool
	Notes   string // of the version that is published
	// Actor is who makes the changes, for a registry that does not know by the connection's credentials.
	Actor string
	Lease time.Duration // 15 s when 0; 1 s to 24 h. Renewed three times within that time.
	Drain time.Duration // how long calls may go on after the end was asked for; 30 s when 0
	// Health tells gateways whether this server takes calls; nil: Serve makes one, unless one is registered already.
	Health *health.Server
	// OnRegistered is called with the uid of each registration: the first, and those after a lease had expired.
	OnRegistered func(uid string)
	Logger       *slog.Logger // slog.Default() when nil
}

// Serve serves until `ctx` ends, then returns nil. `registry` is a connection to the registry, with whatever credentials it wants.
//
// It publishes the version if told to, serves, and registers. A registry that is away only delays that, and calls are served
// meanwhile; one that refuses ends Serve with its *Refusal. At the end the server is taken out of routing first, then its open
// calls are waited for. Services must have been registered on `server`, and `listener` be open; both are closed on return.
func Serve(ctx context.Context, server *grpc.Server, listener net.Listener, registry grpc.ClientConnInterface, s Server) error {
	defer listener.Close()
	registration, err := s.registration(server, listener, registry)
	if err != nil {
		return err
	}
	names := apiServices(server)
	s.addStandardServices(server)
	if s.Publish {
		set, err := descriptorSet(names)
		if err != nil {
			return err
		}
		registration.toPublish = &publishRequest{Service: s.Service, Name: s.Version, DescriptorSet: set, Notes: s.Notes, Owner: s.Owner,
			GRPCServices: names}
	}
	s.setHealth(names, healthpb.HealthCheckResponse_SERVING)
	ctx, end := context.WithCancel(ctx)
	defer end()
	served := make(chan error, 1)
	go func() {
		served <- server.Serve(listener)
		end()
	}()
	refused := registration.keep(ctx)
	s.setHealth(names, healthpb.HealthCheckResponse_NOT_SERVING)
	registration.end()
	s.drain(server)
	if failed := <-served; refused == nil {
		return failed
	}
	return refused
}

func (s *Server) registration(server *grpc.Server, listener net.Listener, conn grpc.ClientConnInterface) (*registration, error) {
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	if s.Lease == 0 {
		s.Lease = leaseDefault
	}
	if s.Drain == 0 {
		s.Drain = drainDefault
	}
	if s.Address == "" {
		s.Address = listener.Addr().String()
		if path, ok := listener.Addr().(*net.UnixAddr); ok {
			s.Address = "unix:" + path.Name
		}
	}
	reached, err := parseAddress(s.Address)
	if err != nil {
		return nil, err
	}
	api, err := newRegistry(conn, s.Actor)
	if err != nil {
		return nil, err
	}
	request := registerRequest{
		Instance: instance{Service: s.Service, Version: s.Version, Address: reached, TLSName: s.TLSName, Weight: s.Weight, Zone: s.Zone},
		LeaseTTL: fmt.Sprintf("%.3fs", s.Lease.Seconds()),
		Owner:    s.Owner,
	}
	return &registration{registry: api, request: request, lease: s.Lease, logger: s.Logger, onRegistered: s.OnRegistered}, nil
}

func parseAddress(text string) (address, error) {
	if path, found := strings.CutPrefix(text, "unix:"); found {
		return address{Pipe: &pipe{Path: path}}, nil
	}
	host, service, err := net.SplitHostPort(text)
	if err != nil {
		return address{}, fmt.Errorf("address: %w", err)
	}
	port, err := net.LookupPort("tcp", service)
	if err != nil {
		return address{}, fmt.Errorf("address: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return address{}, fmt.Errorf("address: `%s` is every address of this machine; set Server.Address to the one that gateways "+
			"reach it at", text)
	}
	return address{SocketAddress: &socketAddress{Address: host, PortValue: uint32(port)}}, nil
}

// Health, and reflection, by which the registry can see that what runs is what was published.
func (s *Server) addStandardServices(server *grpc.Server) {
	has := server.GetServiceInfo()
	if _, found := has[healthpb.Health_ServiceDesc.ServiceName]; !found {
		if s.Health == nil {
			s.Health = health.NewServer()
		}
		healthpb.RegisterHealthServer(server, s.Health)
	}
	if _, found := has["grpc.reflection.v1.ServerReflection"]; !found {
		reflection.Register(server)
	}
}

func (s *Server) setHealth(names []string, state healthpb.HealthCheckResponse_ServingStatus) {
	if s.Health == nil {
		return
	}
	s.Health.SetServingStatus("", state)
	for _, name := range names {
		s.Health.SetServingStatus(name, state)
	}
}

func (s *Server) drain(server *grpc.Server) {
	impatient := time.AfterFunc(s.Drain, server.Stop)
	defer impatient.Stop()
	server.GracefulStop()
}
