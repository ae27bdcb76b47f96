"""The landing boundary."""
