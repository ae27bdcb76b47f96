"""Klaviyo's Events API, where OMNI writes its loyalty events: pulled."""
