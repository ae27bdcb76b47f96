"""The Flowhub pull."""
