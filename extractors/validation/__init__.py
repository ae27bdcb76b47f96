"""Guards the landing boundary: what landed is looked at before a model reads it."""
