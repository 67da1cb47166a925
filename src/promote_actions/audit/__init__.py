"""The audit log: records, their hash chain, and what can be computed from them."""
