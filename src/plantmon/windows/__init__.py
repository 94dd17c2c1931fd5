"""This room turns readings into minute, hour and day windows, the same way live, late, imported or replayed."""
