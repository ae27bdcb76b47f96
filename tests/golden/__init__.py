"""Cases that settle what a flow decides."""
