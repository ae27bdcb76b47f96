"""Erasing a person, tried on everything that a home holds."""
