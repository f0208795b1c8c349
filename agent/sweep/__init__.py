"""Many trainings at once: data sets × seeds × settings, by grid, at random or by Optuna."""
