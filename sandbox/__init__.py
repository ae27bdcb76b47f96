"""The vendors' side, for demo and tests: real HTTP servers on loopback."""
