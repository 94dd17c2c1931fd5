"""This room speaks to people: what the store holds, as tables, CSV or JSON."""
