"""The receiver: takes what sources send, and answers 2xx once it is on the disk."""
