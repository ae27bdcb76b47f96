"""The senders: Jane, OMNI, Shopify and the partners post to the receiver."""
