"""Activation: enrollments that arrive once; it knows no orchestrator."""
