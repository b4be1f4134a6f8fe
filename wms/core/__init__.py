"""The ground floor every room stands on.

Databases and their transactions, clocks, refusals with their stable reasons, idempotent requests, the audit
trail, barcode reading, the outbox, texts in two languages and the words PDA dialogues are written in. Knows
nothing of goods.
"""
