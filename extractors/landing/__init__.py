"""The landing log: every byte that a source sent, in one total order."""
