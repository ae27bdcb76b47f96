"""Flowhub, the point of sale: pulled."""
