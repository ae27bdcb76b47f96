"""The rules of decisions in plain Python, held against the models."""
