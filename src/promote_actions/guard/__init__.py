"""Guarding pull requests: what they change in the values files, and whether they may be merged yet."""
