"""This room makes emission amounts: kg of each hour and day, measured, substituted or unknown, and what caps say."""
