"""Closed-loop control: goal cost and model-predictive controller, in numpy."""
