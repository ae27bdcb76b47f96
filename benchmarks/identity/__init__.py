"""How well and how fast records are resolved to people."""
