"""Rivals and yardsticks, all behind the Controller interface."""
