"""The orchestration: what exists, in which order it is made, and when."""
