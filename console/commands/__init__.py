"""One module a command; heavy packages are imported by the command that needs them, when it runs."""
