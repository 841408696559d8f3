"""Suites that others wrote, run through the gateway. `./dev conformance` lists and runs them."""
