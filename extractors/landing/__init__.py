"""The landing log: one totally ordered log of everything a source sent, and the journals that feed it."""
