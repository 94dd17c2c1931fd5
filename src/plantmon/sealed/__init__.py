"""This room is the archive's files: how a day of readings is written, read back, and chained to those before it.

It knows no database. What needs pyarrow (`writing`, `reading`) is loaded in child processes alone: it takes tens of
megabytes that a daemon would keep for ever after.
"""
