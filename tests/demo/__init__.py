"""The demonstration: its plan, its order files, its processes, and a small day lived for real."""
