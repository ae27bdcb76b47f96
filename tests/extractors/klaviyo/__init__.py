"""The pull of OMNI's events from Klaviyo."""
