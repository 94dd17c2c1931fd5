"""This package makes the annual figures: what meters, outlets and the ledger say, and how each figure comes from it."""
