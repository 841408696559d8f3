package pinion

import (
	"context"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc/credentials"
)

// APIKey is a consumer's key, for grpc.WithPerRPCCredentials or grpc.PerRPCCredentials. It is only sent over TLS.
type APIKey struct {
	Key    string
	Header string // of the gateway's listener; empty: "x-api-key"
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (k APIKey) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	header := k.Header
	if header == "" {
		header = "x-api-key"
	}
	return map[string]string{header: k.Key}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (APIKey) RequireTransportSecurity() bool { return true }

// Token is where a bearer token comes from: of a consumer towards gateways, or of an owner towards the registry. It is asked for
// each call, so that tokens can be replaced. They are only sent over TLS.
type Token func(context.Context) (string, error)

// StaticToken is a token that stays.
func StaticToken(token string) Token {
	return func(context.Context) (string, error) { return token, nil }
}

// TokenFile is a token in a file, which is read for each call, so that it can be replaced.
func TokenFile(path string) Token {
	return func(context.Context) (string, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		if token := strings.TrimSpace(string(text)); token != "" {
			return token, nil
		}
		return "", fmt.Errorf("%s: holds no token", path)
	}
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (t Token) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := t(ctx)
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (Token) RequireTransportSecurity() bool { return true }

var _, _ credentials.PerRPCCredentials = APIKey{}, Token(nil)
