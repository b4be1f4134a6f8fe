"""The measurements behind `scripts/bench.py`, one module each."""
