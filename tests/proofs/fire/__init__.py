"""What proofs under fire borrow: servers that can be killed, clients that journal, and the judge who compares."""
