"""The LeJEPA world model: encoder, predictor, SIGReg, goal metric, checkpoints."""
