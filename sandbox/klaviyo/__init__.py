"""Klaviyo: what it takes, what it refuses, and what can be read there."""
