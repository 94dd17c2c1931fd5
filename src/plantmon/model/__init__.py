"""This room holds what is spoken of: frozen dataclasses and enums, with no behaviour beyond their own consistency."""
