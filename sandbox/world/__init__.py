"""The world that the vendors live in: people, shops, baskets, carts and points, and the truth."""
