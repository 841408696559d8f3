// Command negativeserver is the server of gRPC's negative HTTP/2 interoperability cases: it answers unary calls of the test
// service correctly, but for what its case is about.
//
//	negativeserver -case NAME
//
// It prints the port that it listens on, and after SIGTERM `held` or what its peer did wrong, which is then its exit status.
package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	responseBytes = 314159 // what the cases ask for
	messagePrefix = 5
	frameBytes    = 16384
	padding       = 255
	initialWindow = 65535
)

// A case's deviations.
type behaviour struct {
	goAwayAfterCall   bool // and the next call has to come on another connection
	resetAfterHeaders bool
	resetDuringData   bool
	resetAfterData    bool
	pingBetweenFrames bool // and each has to be answered
	oneStream         bool // MAX_CONCURRENT_STREAMS is 1, and has to be kept
	padded            bool
}

var cases = map[string]behaviour{
	"goaway":             {goAwayAfterCall: true},
	"rst_after_header":   {resetAfterHeaders: true},
	"rst_during_data":    {resetDuringData: true},
	"rst_after_data":     {resetAfterData: true},
	"ping":               {pingBetweenFrames: true},
	"max_streams":        {oneStream: true},
	"data_frame_padding": {padded: true},
}

// faults of the peer, from all connections.
type faults struct {
	mu    sync.Mutex
	found []string
	calls int
}

func (f *faults) add(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.found = append(f.found, fmt.Sprintf(format, args...))
}

// response is an answer that waits for its turn and for windows.
type response struct {
	id   uint32
	rest []byte
}

// connection serves one peer, on one goroutine.
type connection struct {
	behaviour
	faults   *faults
	framer   *http2.Framer
	encoded  bytes.Buffer
	encoder  *hpack.Encoder
	requests map[uint32]bool // open, the request not yet ended
	open     map[uint32]bool
	waiting  []*response
	window   int64
	windows  map[uint32]int64
	initial  int64
	pings    int // sent, not answered
	sent     int
	gone     bool // GOAWAY was sent
}

func serve(b behaviour, f *faults, conn net.Conn) {
	defer conn.Close()
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := readFull(conn, preface); err != nil || string(preface) != http2.ClientPreface {
		return
	}
	c := &connection{behaviour: b, faults: f, framer: http2.NewFramer(conn, conn), requests: map[uint32]bool{},
		open: map[uint32]bool{}, window: initialWindow, windows: map[uint32]int64{}, initial: initialWindow}
	c.encoder = hpack.NewEncoder(&c.encoded)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var settings []http2.Setting
	if b.oneStream {
		settings = append(settings, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
	}
	c.framer.WriteSettings(settings...)
	c.framer.WriteWindowUpdate(0, 1<<30)
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			if c.pings > 0 && !c.gone {
				f.add("%d PINGs were never answered", c.pings)
			}
			return
		}
		c.handle(frame)
	}
}

func readFull(conn net.Conn, into []byte) (int, error) {
	read := 0
	for read < len(into) {
		n, err := conn.Read(into[read:])
		if read += n; err != nil {
			return read, err
		}
	}
	return read, nil
}

func (c *connection) handle(frame http2.Frame) {
	switch frame := frame.(type) {
	case *http2.MetaHeadersFrame:
		c.begin(frame.StreamID)
		if frame.StreamEnded() {
			c.answer(frame.StreamID)
		}
	case *http2.DataFrame:
		if size := uint32(len(frame.Data())); size > 0 && !frame.StreamEnded() {
			c.framer.WriteWindowUpdate(frame.StreamID, size)
		}
		if frame.StreamEnded() {
			c.answer(frame.StreamID)
		}
	case *http2.SettingsFrame:
		if !frame.IsAck() {
			frame.ForeachSetting(func(setting http2.Setting) error {
				if setting.ID == http2.SettingInitialWindowSize {
					c.resize(int64(setting.Val))
				}
				return nil
			})
			c.framer.WriteSettingsAck()
		}
	case *http2.WindowUpdateFrame:
		if frame.StreamID == 0 {
			c.window += int64(frame.Increment)
		} else {
			c.windows[frame.StreamID] += int64(frame.Increment)
		}
		c.drain()
	case *http2.PingFrame:
		if frame.IsAck() {
			c.pings--
		} else {
			c.framer.WritePing(true, frame.Data)
		}
	case *http2.RSTStreamFrame:
		c.end(frame.StreamID)
	}
}

func (c *connection) resize(window int64) {
	for id := range c.open {
		c.windows[id] += window - c.initial
	}
	c.initial = window
}

func (c *connection) begin(id uint32) {
	if c.gone {
		c.faults.add("stream %d was opened after GOAWAY", id)
	}
	c.open[id], c.requests[id], c.windows[id] = true, true, c.initial
	if c.oneStream && len(c.open) > 1 {
		c.faults.add("%d streams at once", len(c.open))
	}
}

func (c *connection) end(id uint32) {
	delete(c.open, id)
	delete(c.requests, id)
	for i, r := range c.waiting {
		if r.id == id {
			c.waiting = append(c.waiting[:i], c.waiting[i+1:]...)
			break
		}
	}
}

// answer begins the answer to a request that has ended.
func (c *connection) answer(id uint32) {
	if !c.requests[id] {
		return
	}
	delete(c.requests, id)
	c.faults.mu.Lock()
	c.faults.calls++
	c.faults.mu.Unlock()
	c.headers(id, false, ":status", "200", "content-type", "application/grpc")
	if c.resetAfterHeaders {
		c.reset(id)
		return
	}
	body := message(responseBytes)
	if c.resetDuringData {
		body = body[:len(body)/2]
	}
	c.waiting = append(c.waiting, &response{id, body})
	c.drain()
}

// message is a SimpleResponse whose payload has that many bytes, with its prefix.
func message(size int) []byte {
	body := append(binary.AppendUvarint([]byte{0x12}, uint64(size)), make([]byte, size)...) // Payload.body = 2
	simple := append(binary.AppendUvarint([]byte{0x0a}, uint64(len(body))), body...)        // SimpleResponse.payload = 1
	framed := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(simple)))
	return append(framed, simple...)
}

// drain sends what the windows allow.
func (c *connection) drain() {
	for i := 0; i < len(c.waiting); {
		r := c.waiting[i]
		for len(r.rest) > 0 && c.send(r) {
		}
		if len(r.rest) > 0 {
			i++
			continue
		}
		c.waiting = append(c.waiting[:i], c.waiting[i+1:]...)
		c.finish(r.id)
	}
}

// send sends one DATA frame, or none when a window is closed.
func (c *connection) send(r *response) bool {
	extra := int64(0)
	if c.padded {
		extra = padding + 1
	}
	room := min(c.window, c.windows[r.id]) - extra
	size := min(int64(len(r.rest)), room, frameBytes-extra)
	if size <= 0 {
		return false
	}
	if c.padded {
		c.framer.WriteDataPadded(r.id, false, r.rest[:size], make([]byte, padding))
	} else {
		c.framer.WriteData(r.id, false, r.rest[:size])
	}
	r.rest = r.rest[size:]
	c.window -= size + extra
	c.windows[r.id] -= size + extra
	c.ping()
	return true
}

func (c *connection) ping() {
	if c.pingBetweenFrames {
		c.pings++
		c.sent++
		c.framer.WritePing(false, [8]byte{'p', 'i', 'n', 'g', byte(c.sent >> 8), byte(c.sent)})
	}
}

func (c *connection) finish(id uint32) {
	if c.resetDuringData || c.resetAfterData {
		c.reset(id)
		return
	}
	c.headers(id, true, "grpc-status", "0")
	delete(c.open, id)
	c.ping()
	if c.goAwayAfterCall {
		c.gone = true
		c.framer.WriteGoAway(id, http2.ErrCodeNo, nil)
	}
}

func (c *connection) reset(id uint32) {
	delete(c.open, id)
	c.framer.WriteRSTStream(id, http2.ErrCodeNo)
}

func (c *connection) headers(id uint32, end bool, pairs ...string) {
	c.encoded.Reset()
	for i := 0; i < len(pairs); i += 2 {
		c.encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: c.encoded.Bytes(), EndHeaders: true, EndStream: end})
}

func main() {
	name := flag.String("case", "", "which")
	flag.Parse()
	b, ok := cases[*name]
	if !ok {
		fmt.Fprintf(os.Stderr, "negativeserver: no case %q\n", *name)
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "negativeserver:", err)
		os.Exit(2)
	}
	f := new(faults)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(b, f, conn)
		}
	}()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	fmt.Println("listening on", listener.Addr().(*net.TCPAddr).Port)
	<-signals
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == 0 {
		f.found = append(f.found, "no call arrived")
	}
	if len(f.found) > 0 {
		fmt.Println(strings.Join(f.found, "; "))
		os.Exit(1)
	}
	fmt.Println("held")
}
