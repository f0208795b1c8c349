"""What can go wrong, made to go wrong on purpose: `python -m benchmarks.faults`."""
