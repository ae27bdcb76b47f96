"""The ledger: what is to be sent, what was sent, and what became of it."""
