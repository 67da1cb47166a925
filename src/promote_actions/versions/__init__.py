"""CalVer: parsing, order, allocation; and drift between versions."""
