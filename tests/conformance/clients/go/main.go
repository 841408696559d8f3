// The conformance scenarios' driver for Go: reads commands as JSON, one a line, and answers each with a line. README.md beside the
// scenarios says which there are.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

type command struct {
	Do string `json:"do"`
	As string `json:"as"` // a connection's or a server's name

	// dial, and to the registry for serve
	CA          string `json:"ca"`
	APIKey      string `json:"api_key"`
	Token       string `json:"token"`
	TokenFile   string `json:"token_file"`
	Certificate string `json:"certificate"`
	Key         string `json:"key"`

	// dial
	Target     string            `json:"target"`
	Pins       map[string]string `json:"pins"`
	DefaultPin string            `json:"default_pin"`
	Header     string            `json:"header"`
	PassOn     bool              `json:"pass_on"`

	// call
	Method   string            `json:"method"`
	Pin      string            `json:"pin"`
	Metadata map[string]string `json:"metadata"`
	Chain    map[string]string `json:"chain"`
	Through  []string          `json:"through"`

	// serve
	Registry     string `json:"registry"`
	Version      string `json:"version"`
	Publish      bool   `json:"publish"`
	LeaseSeconds int    `json:"lease_seconds"`
}

type answer map[string]any

func main() {
	d := &driver{connections: map[string]*connection{}, servers: map[string]*server{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		text, err := json.Marshal(d.do(c))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(string(text))
	}
}

func (d *driver) do(c command) answer {
	switch c.Do {
	case "dial":
		return d.dial(c)
	case "call":
		return d.call(c)
	case "told":
		return d.told(c)
	case "serve":
		return d.serve(c)
	case "again":
		return d.again(c)
	case "health":
		return d.health(c)
	case "end":
		return d.end(c)
	default:
		return answer{"failure": "no command " + c.Do}
	}
}
