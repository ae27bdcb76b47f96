"""Tests of the landing log and the journals."""
