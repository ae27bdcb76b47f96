"""Forgetting a person everywhere: what is hers, what is left of it, and in which order it goes."""
