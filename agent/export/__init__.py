"""From a checkpoint to a controller that runs without torch, and that controller's model."""
