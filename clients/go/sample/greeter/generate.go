// Package greeter holds the stubs of clients/sample/greeter.proto; `go generate ./...` makes them.
package greeter

//go:generate sh ../../generate.sh ../../../sample greeter.proto
