"""Rivals and yardsticks that know one world's physics: Reacher's."""
