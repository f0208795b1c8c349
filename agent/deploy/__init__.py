"""The controller without torch: numpy and onnxruntime alone, for a robot's own computer."""
