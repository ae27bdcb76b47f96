"""Readers of the sources and the landing log; they know no orchestrator."""
