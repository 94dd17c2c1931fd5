"""This package adds up what plants publish to the figures of a group, each of which says which plants it is of."""
