"""This room seals days into files, lets SQLite go of them, and adds what comes late; `sealed` knows the files."""
