"""This package takes the ledger in: files and single lines are read, looked at, compared with what stands, and kept."""
