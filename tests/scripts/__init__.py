"""Tests of what runs before there is an environment."""
