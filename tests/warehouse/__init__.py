"""The builder, the worker, and what they publish."""
