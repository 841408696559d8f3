package pinion

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func TestNoticeIn(t *testing.T) {
	for _, test := range []struct {
		name string
		said metadata.MD
		want *Notice
	}{
		{"not deprecated", metadata.Pairs("sunset", "Mon, 01 Mar 2027 00:00:00 GMT"), nil},
		{"without a sunset", metadata.Pairs("deprecation", "@1764000000"),
			&Notice{GRPCService: "a.A", Version: "1.0.0", Deprecated: time.Unix(1764000000, 0).UTC()}},
		{"with all, beside another link",
			metadata.Pairs("deprecation", "@1764000000", "sunset", "Mon, 01 Mar 2027 00:00:00 GMT", "link", `<https://a.example>; rel="next"`,
				"link", `<https://a.example/v2>; rel="successor-version"`),
			&Notice{GRPCService: "a.A", Version: "1.0.0", Deprecated: time.Unix(1764000000, 0).UTC(),
				Sunset: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), Link: "https://a.example/v2"}},
		{"unreadable dates", metadata.Pairs("deprecation", "yes", "sunset", "soon"), &Notice{GRPCService: "a.A", Version: "1.0.0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := noticeIn(test.said, "a.A", "1.0.0"); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func refusedWith(t *testing.T, domain string) error {
	t.Helper()
	said, err := status.New(codes.Unimplemented, "no such version").WithDetails(
		&errdetails.ErrorInfo{Reason: VersionNotFound, Domain: domain,
			Metadata: map[string]string{"service": "people", "asked": "^3", "available": "2.0.0, 1.0.0", "more": "x"}},
		&errdetails.Help{Links: []*errdetails.Help_Link{{Url: "https://a.example/help"}}})
	if err != nil {
		t.Fatal(err)
	}
	return said.Err()
}

func TestRefusal(t *testing.T) {
	cause := refusedWith(t, "pinion")
	err := fmt.Errorf("get ada: %w", typed(cause))
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		t.Fatal("not a refusal")
	}
	if refusal.Reason != VersionNotFound || refusal.Service != "people" || refusal.Asked != "^3" ||
		!reflect.DeepEqual(refusal.Available, []string{"2.0.0", "1.0.0"}) || refusal.Help != "https://a.example/help" ||
		refusal.Metadata["more"] != "x" {
		t.Errorf("got %+v", refusal)
	}
	if status.Code(err) != codes.Unimplemented || !errors.Is(err, cause) || refusal.Error() != cause.Error() {
		t.Errorf("it is not gRPC's error any more: %v", err)
	}
	for _, other := range []error{nil, errors.New("x"), status.Error(codes.NotFound, "x"), refusedWith(t, "another.example")} {
		if typed(other) != other {
			t.Errorf("%v was taken for a refusal", other)
		}
	}
}
