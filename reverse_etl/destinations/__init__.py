"""One module a destination, behind one small protocol."""
