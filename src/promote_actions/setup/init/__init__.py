"""``init``: the example workflows and configuration, with the caller's names, in a repository."""
