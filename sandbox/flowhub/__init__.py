"""Flowhub's public API, as far as a pull and an order push use it."""
