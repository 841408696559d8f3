// Linear judges a history of tests/integration/etcd/pin_load: whether pins, channels and the end of
// versions were linearizable, that is, whether each operation can have happened at one moment between
// its call and its answer. Porcupine searches; this is what the objects are.
//
//	linear HISTORY
//
// Prints what it counted as JSON, with the services that are not linearizable.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Ending is the version that may be retired.
const ending = "1.0.0"

// Patience of the search, for each service.
const patience = 60 * time.Second

type event struct {
	Caller  int    `json:"caller"`
	Service string `json:"service"`
	Op      string `json:"op"`
	Object  string `json:"object"`
	Value   string `json:"value"`
	Start   int64  `json:"start"`
	End     int64  `json:"end"`
	Result  string `json:"result"` // ok, refused, unknown
	Read    string `json:"read"`
}

// A service: what its two consumers' pins and its channel say, and whether the version has ended.
type state struct {
	pins    [2]string
	channel string
	retired bool
}

func pinOf(object string) int { return int(object[len(object)-1] - '0') }

func (s state) inUse() bool {
	return s.pins[0] == ending || s.pins[1] == ending || s.channel == ending
}

// The states after `e`, whose answer fits; none, if it does not. An unknown one happened or did not.
func step(s state, e event) []state {
	after, allowed := s, true
	switch e.Op {
	case "set_pin":
		allowed = !(e.Value == ending && s.retired)
		after.pins[pinOf(e.Object)] = e.Value
	case "set_channel":
		allowed = !(e.Value == ending && s.retired)
		after.channel = e.Value
	case "retire":
		allowed = s.retired || !s.inUse()
		after.retired = true
	case "get_pin":
		return sameIf(s, s.pins[pinOf(e.Object)] == e.Read)
	case "get_channel":
		return sameIf(s, s.channel == e.Read)
	case "get_state":
		return sameIf(s, s.retired == (e.Read == "retired"))
	}
	switch e.Result {
	case "ok":
		if !allowed {
			return nil
		}
		return []state{after}
	case "refused":
		return sameIf(s, !allowed)
	default:
		if !allowed {
			return []state{s}
		}
		return []state{s, after}
	}
}

func sameIf(s state, holds bool) []state {
	if !holds {
		return nil
	}
	return []state{s}
}

var model = porcupine.NondeterministicModel{
	Init: func() []interface{} { return []interface{}{state{channel: "2.0.0"}} },
	Step: func(s, input, output interface{}) []interface{} {
		var all []interface{}
		for _, after := range step(s.(state), input.(event)) {
			all = append(all, after)
		}
		return all
	},
}

// What was certainly not carried out, or only read and not answered, says nothing.
func saysNothing(e event) bool {
	return e.Result == "nothing" || (e.Result == "unknown" && strings.HasPrefix(e.Op, "get_"))
}

func load(path string) (map[string][]porcupine.Operation, map[string]int, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	services := map[string][]porcupine.Operation{}
	counts := map[string]int{}
	lines := bufio.NewScanner(file)
	clients := map[string]int{}
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", lines.Text(), err)
		}
		counts[e.Op+" "+e.Result]++
		if saysNothing(e) {
			continue
		}
		if e.Result != "ok" && e.Result != "refused" && e.Result != "unknown" {
			return nil, nil, fmt.Errorf("an answer that the model does not know: %s", lines.Text())
		}
		// What is not known may happen at any time after; its caller has gone on, so it is another's.
		client := e.Caller
		if e.Result == "unknown" {
			clients[e.Service]++
			client = 1000 + clients[e.Service]
			e.End = math.MaxInt64
		}
		services[e.Service] = append(services[e.Service],
			porcupine.Operation{ClientId: client, Input: e, Call: e.Start, Output: nil, Return: e.End})
	}
	return services, counts, lines.Err()
}

type report struct {
	Services        int            `json:"services"`
	Operations      int            `json:"operations"`
	Counts          map[string]int `json:"counts"`
	NotLinearizable []string       `json:"not_linearizable"`
	NotDecided      []string       `json:"not_decided"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: linear HISTORY")
		os.Exit(2)
	}
	services, counts, err := load(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	result := report{Services: len(services), Counts: counts, NotLinearizable: []string{}, NotDecided: []string{}}
	for name, operations := range services {
		result.Operations += len(operations)
		switch porcupine.CheckOperationsTimeout(model.ToModel(), operations, patience) {
		case porcupine.Illegal:
			result.NotLinearizable = append(result.NotLinearizable, name)
		case porcupine.Unknown:
			result.NotDecided = append(result.NotDecided, name)
		}
	}
	sort.Strings(result.NotLinearizable)
	sort.Strings(result.NotDecided)
	json.NewEncoder(os.Stdout).Encode(result)
}
