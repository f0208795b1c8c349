"""From a checkpoint to a controller that runs without torch."""
