package pinion

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

func TestThePinOfACall(t *testing.T) {
	const people = "acme.people.People"
	for _, test := range []struct {
		name    string
		options []Option
		sent    metadata.MD
		chain   map[string]string
		call    []grpc.CallOption
		want    []string // what is sent as api-version
	}{
		{name: "none"},
		{name: "default", options: []Option{DefaultPin("^1")}, want: []string{"^1"}},
		{name: "service before default", options: []Option{DefaultPin("^1"), Pin(people, "^2")}, want: []string{"^2"}},
		{name: "of another service", options: []Option{Pin("acme.X", "^2")}},
		{name: "chain before service", options: []Option{Pin(people, "^2"), PassOn()}, chain: map[string]string{people: "^3"},
			want: []string{"^3"}},
		{name: "chain that is not passed on", options: []Option{Pin(people, "^2")}, chain: map[string]string{people: "^3"},
			want: []string{"^2"}},
		{name: "metadata before chain", options: []Option{PassOn()}, sent: metadata.Pairs("api-version", "^4"),
			chain: map[string]string{people: "^3"}, want: []string{"^4"}},
		{name: "call before all", options: []Option{Pin(people, "^2"), PassOn()}, sent: metadata.Pairs("api-version", "^4"),
			chain: map[string]string{people: "^3"}, call: []grpc.CallOption{WithPin("^5")}, want: []string{"^5"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &client{header: defaultHeader, pins: map[string]string{}, notices: newNotices(nil)}
			for _, option := range test.options {
				option(c)
			}
			ctx := metadata.NewOutgoingContext(context.Background(), test.sent)
			if test.chain != nil {
				ctx = ContextWithPins(ctx, test.chain)
			}
			ctx, _ = c.begin(ctx, "/"+people+"/Get", test.call)
			sent, _ := metadata.FromOutgoingContext(ctx)
			if got := sent.Get(defaultHeader); len(got) != len(test.want) || len(got) > 0 && got[0] != test.want[0] {
				t.Errorf("sent %q, want %q", got, test.want)
			}
		})
	}
}

func TestPinsOfAChain(t *testing.T) {
	const text = "a.A=>=1 <2 || 3, b.B=@stable"
	pins, err := parsePins(text)
	if err != nil || pins["a.A"] != ">=1 <2 || 3" || pins["b.B"] != "@stable" {
		t.Errorf("parsed %q, %v", pins, err)
	}
	if got := formatPins(pins); got != text {
		t.Errorf("formatted %q", got)
	}
	for _, malformed := range []string{"", "a.A", "a.A=", "=^1", "a.A=^1,", string(make([]byte, chainBytesMax+1))} {
		if pins, err := parsePins(malformed); err == nil {
			t.Errorf("%.20q was taken for %v", malformed, pins)
		}
	}
	before := ContextWithPins(context.Background(), map[string]string{"a.A": "^1"})
	after := ContextWithPins(before, map[string]string{"a.A": "^2"})
	if PinsFromContext(before)["a.A"] != "^1" || PinsFromContext(after)["a.A"] != "^2" {
		t.Error("a context's pins were changed by one made from it")
	}
}
