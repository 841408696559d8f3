package pinion

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"path"
	"reflect"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Of a call that is not answered.
var errHangs = errors.New("hangs")

// A registry that answers each call with the next of its errors, then with none.
type scriptedRegistry struct {
	mu     sync.Mutex
	errors []error
	calls  []string
	ended  func() // called when the script has ended and one more call was answered
}

func (s *scriptedRegistry) Invoke(ctx context.Context, method string, _, _ any, _ ...grpc.CallOption) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, path.Base(method))
	if len(s.errors) == 0 {
		s.ended()
		return nil
	}
	err := s.errors[0]
	s.errors = s.errors[1:]
	if err == errHangs {
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	}
	return err
}

func (s *scriptedRegistry) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.ErrUnsupported
}

// Keeps a registration until the script has ended.
func (s *scriptedRegistry) keep(t *testing.T, lease time.Duration, toPublish *publishRequest) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s.ended = cancel
	api, err := newRegistry(s, "")
	if err != nil {
		t.Fatal(err)
	}
	r := &registration{registry: api, request: registerRequest{LeaseTTL: "1s"}, lease: lease, toPublish: toPublish,
		logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	r.onRegistered = func(string) { r.uid = "one" }
	return r.keep(ctx)
}

func TestTwoRenewalsMayHang(t *testing.T) {
	const lease = 3 * time.Second
	script := &scriptedRegistry{errors: []error{nil, errHangs, errHangs}}
	begun := time.Now()
	if err := script.keep(t, lease, nil); err != nil {
		t.Error(err)
	}
	if taken := time.Since(begun); taken >= lease {
		t.Errorf("the lease was renewed after %v", taken)
	}
	want := []string{"RegisterInstance", "RenewInstance", "RenewInstance", "RenewInstance"}
	if !reflect.DeepEqual(script.calls, want) {
		t.Errorf("called %v", script.calls)
	}
}

func TestAnOutageIsOneLine(t *testing.T) {
	var lines bytes.Buffer
	r := &registration{logger: slog.New(slog.NewTextHandler(&lines, nil))}
	for _, port := range []string{"40001", "40002"} {
		r.report(status.Error(codes.Unavailable, "read tcp 127.0.0.1:"+port+": reset"))
	}
	r.report(nil)
	if got := bytes.Count(lines.Bytes(), []byte("\n")); got != 2 {
		t.Errorf("%d lines:\n%s", got, lines.String())
	}
}

func TestARegistrationGoesOn(t *testing.T) {
	away, lost := status.Error(codes.Unavailable, "away"), status.Error(codes.NotFound, "the lease has expired")
	denied := status.Error(codes.PermissionDenied, "not yours")
	exists := status.Error(codes.AlreadyExists, "published otherwise")
	for _, test := range []struct {
		name   string
		errors []error
		want   []string
		err    error
	}{
		{"until the registry is there", []error{away, away}, []string{"RegisterInstance", "RegisterInstance", "RegisterInstance"}, nil},
		{"not when it is refused at first", []error{away, denied}, []string{"RegisterInstance", "RegisterInstance"}, denied},
		{"whatever is said later", []error{nil, away, denied, nil}, []string{"RegisterInstance", "RenewInstance", "RenewInstance",
			"RenewInstance", "RenewInstance"}, nil},
		{"anew after its lease was lost", []error{nil, lost, away, nil}, []string{"RegisterInstance", "RenewInstance", "RegisterInstance",
			"RegisterInstance", "RenewInstance"}, nil},
		{"until it is published", []error{away, nil, away}, []string{"PublishVersion", "PublishVersion", "RegisterInstance",
			"RegisterInstance"}, nil},
		{"not when what it publishes is refused", []error{exists}, []string{"PublishVersion"}, exists},
	} {
		t.Run(test.name, func(t *testing.T) {
			script := &scriptedRegistry{errors: test.errors}
			var toPublish *publishRequest
			if test.want[0] == "PublishVersion" {
				toPublish = &publishRequest{}
			}
			if err := script.keep(t, 3*time.Millisecond, toPublish); !errors.Is(err, test.err) {
				t.Errorf("ended with %v", err)
			}
			if !reflect.DeepEqual(script.calls, test.want) {
				t.Errorf("called %v", script.calls)
			}
		})
	}
}
