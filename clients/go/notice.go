package pinion

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"
)

// Notice says that the version which answers will end.
type Notice struct {
	GRPCService string
	Version     string
	Deprecated  time.Time // since when (RFC 9745)
	Sunset      time.Time // when it ends (RFC 8594); zero: not announced
	Link        string    // about what comes instead; empty: none
}

// nil when `said` tells of no deprecation.
func noticeIn(said metadata.MD, grpcService, version string) *Notice {
	deprecation := said.Get("deprecation")
	if len(deprecation) == 0 {
		return nil
	}
	notice := &Notice{GRPCService: grpcService, Version: version}
	if seconds, err := strconv.ParseInt(strings.TrimPrefix(deprecation[0], "@"), 10, 64); err == nil {
		notice.Deprecated = time.Unix(seconds, 0).UTC()
	}
	if sunset := said.Get("sunset"); len(sunset) > 0 {
		notice.Sunset, _ = http.ParseTime(sunset[0])
	}
	for _, link := range said.Get("link") {
		target, rest, found := strings.Cut(link, ">")
		if found && strings.HasPrefix(target, "<") && strings.Contains(rest, `rel="successor-version"`) {
			notice.Link = target[1:]
		}
	}
	return notice
}

const noticesMax = 1024 // then all are forgotten, and told again

// Tells each different notice once. Safe for use by any goroutine.
type notices struct {
	logger *slog.Logger
	notify func(Notice)

	mu   sync.Mutex
	told map[Notice]bool
}

func newNotices(logger *slog.Logger) *notices {
	return &notices{logger: logger, told: map[Notice]bool{}}
}

func (n *notices) tell(notice Notice) {
	if !n.first(notice) {
		return
	}
	if n.logger != nil {
		attributes := []any{"service", notice.GRPCService, "version", notice.Version, "deprecated", notice.Deprecated}
		if !notice.Sunset.IsZero() {
			attributes = append(attributes, "sunset", notice.Sunset)
		}
		if notice.Link != "" {
			attributes = append(attributes, "link", notice.Link)
		}
		n.logger.Warn("calls are answered by a deprecated version", attributes...)
	}
	if n.notify != nil {
		n.notify(notice)
	}
}

func (n *notices) first(notice Notice) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.told[notice] {
		return false
	}
	if len(n.told) >= noticesMax {
		clear(n.told)
	}
	n.told[notice] = true
	return true
}
