package pinion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	registryTimeout  = 10 * time.Second
	farewellTimeout  = 3 * time.Second
	retryDelay       = time.Second
	renewalsPerLease = 3
	// A renewal may take a quarter of the lease, so that two that hang leave time for a third.
	renewalTimeoutsPerLease = 4
)

// A server's place in the registry, kept under a lease. Of the goroutine of keep(), and of end()'s after it.
type registration struct {
	registry     *registry
	request      registerRequest
	lease        time.Duration
	logger       *slog.Logger
	onRegistered func(uid string)

	toPublish *publishRequest // nil: nothing, or it is done
	uid       string          // empty: not registered
	lastError string          // what was logged last, so that an outage is one line
}

func (r *registration) publish(ctx context.Context) error {
	if r.toPublish == nil {
		return nil
	}
	if err := r.registry.call(ctx, registryTimeout, "PublishVersion", r.toPublish, nil); err != nil {
		return fmt.Errorf("publish %s %s: %w", r.toPublish.Service, r.toPublish.Name, err)
	}
	r.toPublish = nil
	return nil
}

// Publishes, registers, and renews until `ctx` ends. An error: the registry refuses to have this server at all.
func (r *registration) keep(ctx context.Context) error {
	known := false
	// A call that has begun is waited for, so that end() knows the uid.
	calls := context.WithoutCancel(ctx)
	for {
		begun := time.Now()
		err := r.publish(calls)
		if err == nil {
			err = r.renewOrRegister(calls)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !known && !mayPass(err) {
			return err
		}
		known = known || err == nil
		r.report(err)
		wait := r.lease / renewalsPerLease
		if err != nil {
			wait = min(r.lease/renewalTimeoutsPerLease, retryDelay)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(begun.Add(wait))):
		}
	}
}

// Whether another try can succeed although nothing is changed here.
func mayPass(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Aborted, codes.ResourceExhausted:
		return true
	default:
		return false
	}
}

func (r *registration) renewOrRegister(ctx context.Context) error {
	if r.uid != "" {
		timeout := min(r.lease/renewalTimeoutsPerLease, registryTimeout)
		err := r.registry.call(ctx, timeout, "RenewInstance", uidRequest{UID: r.uid}, nil)
		if status.Code(err) != codes.NotFound {
			return err
		}
		r.uid = "" // the lease has expired, for instance while this machine slept
	}
	var response registerResponse
	if err := r.registry.call(ctx, registryTimeout, "RegisterInstance", r.request, &response); err != nil {
		return err
	}
	r.uid = response.Instance.Instance.UID
	if r.onRegistered != nil {
		r.onRegistered(r.uid)
	}
	return nil
}

func (r *registration) report(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	// Each failure may tell a port of its own.
	same := strings.Map(func(letter rune) rune {
		if unicode.IsDigit(letter) {
			return -1
		}
		return letter
	}, text)
	if same == r.lastError {
		return
	}
	r.lastError = same
	if err == nil {
		r.logger.Info("the registry has this server again", "uid", r.uid)
		return
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		r.logger.Error("the registry refuses this server; trying again", "reason", refusal.Reason, "error", err)
		return
	}
	r.logger.Warn("the registry does not answer; trying again", "error", err)
}

// Takes the server out of routing. Whatever becomes of that, its lease ends by itself.
func (r *registration) end() {
	if r.uid == "" {
		return
	}
	if err := r.registry.call(context.Background(), farewellTimeout, "DeregisterInstance", uidRequest{UID: r.uid}, nil); err != nil {
		r.logger.Warn("could not deregister; the lease ends by itself", "error", err)
	}
	r.uid = ""
}
