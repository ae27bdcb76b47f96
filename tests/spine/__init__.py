"""The whole way, once: from the vendors' APIs to what the messaging systems accepted."""
