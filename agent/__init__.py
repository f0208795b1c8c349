"""World model, data, training, control and evaluation."""
