"""Image tags and labels: the rules that make them, and the registry they live in."""
