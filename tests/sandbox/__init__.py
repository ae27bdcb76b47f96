"""Tests of the vendors' side."""
