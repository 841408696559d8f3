// Package echo holds the stubs of echo.proto; `go generate ./...` makes them.
package echo

//go:generate sh ../../../../../clients/go/generate.sh ../.. echo.proto
