"""Speaks HPACK for tests/conformance/hpack.py with PyPI's hpack, in the same language as hpack_peer.cc beside this file."""

import sys

import hpack

_LIST_BYTES_MAX = 1 << 30  # what a session refuses is not the coder's matter


class Peer:
    def __init__(self):
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder(max_header_list_size=_LIST_BYTES_MAX)

    def encode(self, fields):
        block = []
        for field in fields:
            name, value = field.lstrip("!").split(":")
            kind = hpack.NeverIndexedHeaderTuple if field.startswith("!") else hpack.HeaderTuple
            block.append(kind(bytes.fromhex(name), bytes.fromhex(value)))
        return self.encoder.encode(block).hex()

    def decode(self, block):
        try:
            fields = self.decoder.decode(bytes.fromhex(block), raw=True)
        except hpack.HPACKError:
            return "error"
        return " ".join(f"{'' if field.indexable else '!'}{bytes(field[0]).hex()}:{bytes(field[1]).hex()}" for field in fields)


def main():
    peer = Peer()
    for line in sys.stdin:
        verb, *words = line.split()
        if verb == "new":
            peer, answer = Peer(), "ok"
        elif verb == "size":
            peer.encoder.header_table_size, answer = int(words[0]), "ok"
        elif verb == "encode":
            answer = peer.encode(words)
        elif verb == "decode":
            answer = peer.decode(words[0] if words else "")
        else:
            sys.exit(f"hpack_peer.py: no request {verb!r}")
        print(answer, flush=True)


main()
