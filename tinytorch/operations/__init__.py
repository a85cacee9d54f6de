"""The operations on tensors, in families that are all written the same way."""
