"""This package measures plantmon; each module is a script that prints a table and one line of JSON."""
