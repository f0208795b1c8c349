"""Measurements of the program: speed, memory, and the campaign behind the published tables."""
