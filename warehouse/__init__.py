"""The builder: the one process that owns the warehouse file."""
