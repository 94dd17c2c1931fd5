"""This room averages: pure functions over arrays, shared by windows and compliance so that both compute alike."""
