"""The catalogue: merchants, their SKUs, barcodes, packagings, sizes, weights and lots.

Answers what a thing is; how many there are is the ledger's business.
"""
