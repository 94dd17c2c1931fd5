"""This room keeps everything: SQLite, one file, one writer, many readers; a module a table."""
