"""Setting a team up: ``init`` writes the example workflows into a repository, ``doctor`` checks a setup."""
