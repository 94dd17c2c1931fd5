"""This package holds the facts of the field: one data file each, its source beside every value."""
