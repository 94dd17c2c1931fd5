"""This package simulates the plant around plantmon: its meters and monitors, their faults, a broker, a mail server.

It shares no code with the program it tests. `truth` gives the right answers by other means than the program's.
"""
