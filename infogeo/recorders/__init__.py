"""What models of each framework predict on a probe set, in evaluation mode, without a trace left in the training."""
