"""This package holds the parts of reports: each function gives one table of a scope."""
