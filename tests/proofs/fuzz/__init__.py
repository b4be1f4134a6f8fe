"""What the fuzzing proofs borrow: damaged telegrams, hostile strings, a park with two merchants, and their judges."""
