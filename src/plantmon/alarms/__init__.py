"""This room decides what becomes of what is wrong: raised once, reminded, acknowledged, cleared."""
