"""``perennial rebuild``: the warehouse from landing."""
