"""Tests of the receiver, against a real server."""
