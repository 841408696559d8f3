// Command hpackpeer speaks HPACK for tests/conformance/hpack.py with golang.org/x/net/http2/hpack. One request a line on
// standard input, one answer a line on standard output, all strings in hexadecimal:
//
//	new                                  a new encoder and a new decoder           ok
//	size BYTES                           the encoder's table from now on           ok
//	encode [!]NAME:VALUE …               one block; `!`: never indexed             the block
//	decode BLOCK                         one block                                 [!]NAME:VALUE …, or error
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"
)

const tableBytes = 4096

type peer struct {
	block   bytes.Buffer
	encoder *hpack.Encoder
	decoder *hpack.Decoder
}

func (p *peer) reset() {
	p.block.Reset()
	p.encoder = hpack.NewEncoder(&p.block)
	p.decoder = hpack.NewDecoder(tableBytes, nil)
}

func (p *peer) encode(fields []string) (string, error) {
	p.block.Reset()
	for _, field := range fields {
		text, sensitive := strings.CutPrefix(field, "!")
		name, value, _ := strings.Cut(text, ":")
		rawName, err := hex.DecodeString(name)
		if err != nil {
			return "", err
		}
		rawValue, err := hex.DecodeString(value)
		if err != nil {
			return "", err
		}
		err = p.encoder.WriteField(hpack.HeaderField{Name: string(rawName), Value: string(rawValue), Sensitive: sensitive})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(p.block.Bytes()), nil
}

func (p *peer) decode(block string) (string, error) {
	raw, err := hex.DecodeString(block)
	if err != nil {
		return "", err
	}
	fields, err := p.decoder.DecodeFull(raw)
	if err != nil {
		return "error", nil
	}
	var out []string
	for _, field := range fields {
		mark := ""
		if field.Sensitive {
			mark = "!"
		}
		out = append(out, fmt.Sprintf("%s%x:%x", mark, field.Name, field.Value))
	}
	return strings.Join(out, " "), nil
}

func (p *peer) answer(request string) (string, error) {
	words := strings.Fields(request)
	if len(words) == 0 {
		return "", fmt.Errorf("an empty request")
	}
	switch words[0] {
	case "new":
		p.reset()
		return "ok", nil
	case "size":
		bytes, err := strconv.ParseUint(words[1], 10, 32)
		p.encoder.SetMaxDynamicTableSize(uint32(bytes))
		return "ok", err
	case "encode":
		return p.encode(words[1:])
	case "decode":
		return p.decode(strings.Join(words[1:], ""))
	}
	return "", fmt.Errorf("no request %q", words[0])
}

func main() {
	p := new(peer)
	p.reset()
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		answer, err := p.answer(in.Text())
		if err != nil {
			fmt.Fprintln(os.Stderr, "hpackpeer:", err)
			os.Exit(1)
		}
		fmt.Fprintln(out, answer)
		out.Flush()
	}
}
