package pinion

import (
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

const domain = "pinion"

// Reasons of refusals by a gateway. protos/pinion/reason/v1/reason.proto has them all, also those of a registry.
const (
	PinMalformed          = "PIN_MALFORMED"
	PinRequired           = "PIN_REQUIRED"
	ServiceUnknown        = "SERVICE_UNKNOWN"
	MethodNotInVersion    = "METHOD_NOT_IN_VERSION"
	VersionNotFound       = "VERSION_NOT_FOUND"
	VersionRetired        = "VERSION_RETIRED"
	VersionNotAllowed     = "VERSION_NOT_ALLOWED"
	ConsumerRequired      = "CONSUMER_REQUIRED"
	CredentialInvalid     = "CREDENTIAL_INVALID"
	CredentialUnchecked   = "CREDENTIAL_UNCHECKED"
	NoHealthyInstance     = "NO_HEALTHY_INSTANCE"
	UpstreamConnectFailed = "UPSTREAM_CONNECT_FAILED"
	UpstreamReset         = "UPSTREAM_RESET"
	RateLimited           = "RATE_LIMITED"
	Overloaded            = "OVERLOADED"
)

// Refusal is the error of a call that a gateway or registry answered itself, found with errors.As. What does not apply is empty.
// status.FromError and status.Code see the status that it came as.
type Refusal struct {
	Reason    string            // to switch on, such as VersionNotFound
	Service   string            // the registry's name of the service
	Version   string            // that the call would have gone to
	Consumer  string            // who called
	Asked     string            // the expression
	Source    string            // where it came from: "header", "service_pin", …
	Available []string          // what this caller may ask for instead, newest first; ten at most
	Successor string            // of a retired version
	Help      string            // URL
	Metadata  map[string]string // every variable of the message, these among them

	cause error
}

func (r *Refusal) Error() string { return r.cause.Error() }

// Unwrap returns gRPC's own error.
func (r *Refusal) Unwrap() error { return r.cause }

// GRPCStatus is for package status.
func (r *Refusal) GRPCStatus() *status.Status { return status.Convert(r.cause) }

// err, as a *Refusal if it is one.
func typed(err error) error {
	if refusal := refusalIn(err); refusal != nil {
		return refusal
	}
	return err
}

func refusalIn(err error) *Refusal {
	said, ok := status.FromError(err)
	if err == nil || !ok {
		return nil
	}
	var refusal *Refusal
	help := ""
	for _, detail := range said.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() == domain {
				refusal = newRefusal(detail, err)
			}
		case *errdetails.Help:
			if links := detail.GetLinks(); len(links) > 0 {
				help = links[0].GetUrl()
			}
		}
	}
	if refusal != nil {
		refusal.Help = help
	}
	return refusal
}

func newRefusal(info *errdetails.ErrorInfo, cause error) *Refusal {
	said := info.GetMetadata()
	refusal := &Refusal{Reason: info.GetReason(), Service: said["service"], Version: said["version"], Consumer: said["consumer"],
		Asked: said["asked"], Source: said["source"], Successor: said["successor"], Metadata: said, cause: cause}
	if said["available"] != "" {
		refusal.Available = strings.Split(said["available"], ", ")
	}
	return refusal
}
