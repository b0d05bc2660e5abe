"""The panels that windows are made of."""
