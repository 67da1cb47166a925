"""The health gate: an engine that takes readings, and one module for each kind of check."""
