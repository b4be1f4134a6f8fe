"""Bytes to messages and back, without any input or output.

Each framing offers `decode(buffer) -> (bytes used, message or None)`; unknown bytes are counted, never fatal.
"""
