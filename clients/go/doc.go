// Package pinion is for programs that call, or are called, through a Pinion gateway.
//
// A caller adds [DialOptions] to its connection: they say which version of each service it was written against, tell which version
// answered and whether that one is deprecated, and turn the gateway's refusals into a [*Refusal]. Everything else stays plain gRPC.
//
// A server hands itself to [Serve], which publishes its schema if it may, keeps it registered under a lease while it runs, and
// takes it out of routing before it ends.
package pinion
