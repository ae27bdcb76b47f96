"""The demo: ``make run`` and ``make dev``, on the sandbox, in a home of its own."""
