"""Fair trials: protocols, episodes in lock step, intervals, result files."""
