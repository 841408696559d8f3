// Command h2specd runs one of h2spec's client cases against a gateway's upstream role.
//
// The case plays the gateway's upstream server: the program listens where the gateway expects an instance, calls the gateway
// until it connects, hands that connection to the case and exits with its verdict. One process runs one case, so that a case
// which hangs or panics is that case's failure and nobody else's; h2spec's own runner ends with the first of them.
//
//	h2specd -list                      one line a case: its id, a tab, what it does
//	h2specd -case ID -listen ADDRESS -gateway ADDRESS [-cert FILE -key FILE]
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/summerwind/h2spec/client"
	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/spec"
)

const (
	connectWait = 10 * time.Second       // for the gateway to connect
	caseWait    = 20 * time.Second       // for the case to end by itself
	frameWait   = time.Second            // h2spec's own patience for one frame
	callPause   = 100 * time.Millisecond // between calls of a gateway that has not connected
)

func main() {
	list := flag.Bool("list", false, "print the cases")
	id := flag.String("case", "", "the case to run")
	listen := flag.String("listen", "", "where the gateway expects its upstream")
	gateway := flag.String("gateway", "", "where the gateway listens for cleartext HTTP/2")
	path := flag.String("path", "/pinion.test.Echo/Call", "the method to call")
	cert := flag.String("cert", "", "certificate chain, for TLS towards the upstream")
	key := flag.String("key", "", "its private key")
	flag.Parse()

	cases := map[string]*spec.ClientTestCase{}
	walk(client.Spec(), func(name string, tc *spec.ClientTestCase) {
		cases[name] = tc
		if *list {
			fmt.Printf("%s\t%s\n", name, tc.Desc)
		}
	})
	if *list {
		return
	}
	tc, ok := cases[*id]
	if !ok {
		exit(fmt.Errorf("no case %q", *id))
	}
	listener, err := listenOn(*listen, *cert, *key)
	if err != nil {
		exit(err)
	}
	exit(run(tc, listener, "http://"+*gateway+*path))
}

func exit(err error) {
	if err == nil {
		os.Exit(0)
	}
	fmt.Println(strings.Join(strings.Fields(err.Error()), " "))
	os.Exit(1)
}

// walk visits the cases in the order of their sections.
func walk(group *spec.ClientTestGroup, visit func(name string, tc *spec.ClientTestCase)) {
	for _, tc := range group.Tests {
		visit(fmt.Sprintf("%s/%d", group.ID(), tc.Seq), tc)
	}
	for _, inner := range group.Groups {
		walk(inner, visit)
	}
}

func listenOn(address, cert, key string) (net.Listener, error) {
	if cert == "" {
		return net.Listen("tcp", address)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	return tls.Listen("tcp", address, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}})
}

// run gives the gateway's first connection to the case, and closes those that its retries make.
func run(tc *spec.ClientTestCase, listener net.Listener, url string) error {
	settings := &config.Config{Host: "127.0.0.1", Timeout: frameWait, MaxHeaderLen: 4000, Strict: true, Exec: "none"}
	calls, stop := context.WithCancel(context.Background())
	defer stop()
	first := make(chan net.Conn, 1)
	var connected atomic.Bool
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if connected.Swap(true) {
				conn.Close()
				continue
			}
			first <- conn
		}
	}()
	go call(calls, url, &connected)

	var base net.Conn
	select {
	case base = <-first:
	case <-time.After(connectWait):
		return errors.New("the gateway did not connect")
	}
	defer base.Close()
	conn, err := spec.Accept(settings, resetIsClose{base})
	if err != nil {
		return err
	}
	verdict := make(chan error, 1)
	go func() { verdict <- tc.Run(settings, conn) }()
	select {
	case err := <-verdict:
		return err
	case <-time.After(caseWait):
		return errors.New("the case did not end")
	}
}

// call calls the gateway until it has connected to the upstream, and not again: the case expects one request, and one that ends with
// its headers, as its cases of closed streams do not wait for more. What the gateway answers is not the case's matter.
func call(ctx context.Context, url string, connected *atomic.Bool) {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	for ctx.Err() == nil && !connected.Load() {
		request, err := http.NewRequestWithContext(ctx, "POST", url, http.NoBody)
		if err != nil {
			return
		}
		request.Header.Set("Content-Type", "application/grpc")
		request.Header.Set("TE", "trailers")
		if response, err := transport.RoundTrip(request); err == nil {
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
		time.Sleep(callPause)
	}
}

// resetIsClose shows a reset of the TCP connection as its end. h2spec means to, but looks for the bare errno, which Go wraps
// by now. A gateway whose kernel has unread bytes when it closes resets the connection, after its GOAWAY has left.
type resetIsClose struct{ net.Conn }

func (c resetIsClose) Read(buffer []byte) (int, error) {
	n, err := c.Conn.Read(buffer)
	if errors.Is(err, syscall.ECONNRESET) {
		err = io.EOF
	}
	return n, err
}
