"""The fault matrix: a real server behind a real wire, and sixteen faults at four moments of one command each."""
