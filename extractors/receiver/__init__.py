"""The receiver: what Jane, OMNI, Shopify, partners and the messaging system post to us."""
