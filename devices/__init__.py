"""The gateway of one station: it holds the machines of a packing bench or sorting line and speaks to the server for them.

A separate program. It imports nothing of the server and the server imports nothing of it; they share a written contract
(`docs/reference/gateway.md`). When the server is away, the station goes on working.
"""
