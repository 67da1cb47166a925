"""Everything that talks: git, GitHub, Argo CD, Prometheus, registries, chat. Thin, and never deciding."""
