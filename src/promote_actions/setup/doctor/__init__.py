"""``doctor``: whether everything that promotions need is there, and what to fix."""
