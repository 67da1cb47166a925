"""Promotion: what to change, whether it may be changed, and landing the change."""
