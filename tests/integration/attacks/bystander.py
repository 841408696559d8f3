"""An ordinary caller: so many calls a second for some time, at even intervals. Prints {"failed": N, "latencies_us": [sorted]}.
A call that has to wait for another to end, since only so many may be open, has its latency from when it was due.

usage: python3 -m tests.integration.attacks.bystander PORT CONSUMER CALLS_PER_SECOND SECONDS
"""

import json
import sys
import time

from tests.harness import h2
from tests.integration.attacks.attacks import PATH, window_update
from tests.integration.attacks.link import Link

_PATIENCE = 10
_OPEN_MAX = 100  # what the gateway's SETTINGS allow
_STEP_SECONDS = 0.01
_MESSAGE = b"\0\0\0\0\x20" + b"m" * 32


def main(port, consumer, rate, seconds):
    head = h2.block([(":method", "POST"), (":scheme", "http"), (":path", PATH), (":authority", "test"),
                     ("content-type", "application/grpc"), ("te", "trailers"), ("api-consumer", consumer)])
    began, latencies, stream = {}, [], 1
    start = time.monotonic()
    end, interval, failed = start + float(seconds), 1 / float(rate), 0
    due = start
    with Link(int(port)) as link:
        while due < end or began:
            now = time.monotonic()
            if now > end + _PATIENCE:
                break
            full = len(began) >= _OPEN_MAX
            if now >= due and due < end and not full:
                link.send(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, head) + h2.frame(h2.DATA, h2.END_STREAM, stream, _MESSAGE))
                began[stream] = [due, 0]
                stream += 2
                due += interval
            link.wait(_STEP_SECONDS if full else (due if due < end else end + _PATIENCE) - time.monotonic())
            for kind, flags, of, payload in link.frames():
                if kind == h2.DATA and payload:
                    link.send(window_update(0, len(payload)))
                if of not in began:
                    continue
                began[of][1] += len(payload) if kind == h2.DATA else 0
                if kind == h2.RST_STREAM or (kind in (h2.HEADERS, h2.DATA) and flags & h2.END_STREAM):
                    sent_at, received = began.pop(of)
                    failed += received != len(_MESSAGE)
                    latencies.append((time.monotonic() - sent_at) * 1e6)
    print(json.dumps({"failed": failed + len(began), "latencies_us": sorted(latencies)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
