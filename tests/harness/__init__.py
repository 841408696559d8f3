"""What the tests in Python share: processes, ports, proxies, counts. No package beyond the standard library."""
