"""For programs that call, or are called, through a Pinion gateway.

A caller wraps its channel with `ClientInterceptor`, which says which version of each service the program was written against,
tells of deprecated versions, and makes refusals of the gateway a `Refusal`. A server hands itself to `serve`.
"""

from pinion.chain import ChainServerInterceptor, chain_pins, pins_of_chain
from pinion.client import ClientInterceptor, pin
from pinion.credentials import api_key, token, token_file
from pinion.description import Server
from pinion.notices import Notice, Response, response
from pinion.refusal import Refusal
from pinion.server import serve

__all__ = ["ChainServerInterceptor", "ClientInterceptor", "Notice", "Refusal", "Response", "Server", "api_key", "chain_pins", "pin",
           "pins_of_chain", "response", "serve", "token", "token_file"]
