"""Training: objective, optimiser, trainer, diagnostics."""
