"""The link to the stations' gateways: pairing, signed calls, events in, commands and routes out.

The written contract is docs/reference/gateway.md; both sides are held to it by the examples in tests/contract/gateway.
"""
