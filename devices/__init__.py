"""The gateway of one station: it holds a packing bench's or sorting line's machines and speaks for them.

A separate program. It imports nothing of the server and the server imports nothing of it; they share a written contract
(`docs/reference/gateway.md`). When the server is away, the station goes on working.
"""
