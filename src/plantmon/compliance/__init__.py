"""This room judges windows and readings by the limits in force; every window gets a verdict, with its reason."""
