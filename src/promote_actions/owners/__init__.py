"""CODEOWNERS as GitHub reads it, and approvals as policy counts them."""
