"""The version matrix: which version runs where, and how far apart the environments are."""
