"""The ledger's revisions, run by ``open_ledger``."""
