"""The gateway of one station: scanners, printers, scales and the sorting line.

A program of its own that runs beside the machines and talks to the warehouse over a written contract
(docs/reference/gateway.md). It imports nothing of wms.
"""
