"""Tests of the push, against real servers on loopback, real files and real databases."""
