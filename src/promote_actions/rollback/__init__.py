"""Rollback: which version to restore, and each way to restore it."""
