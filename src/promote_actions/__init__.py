"""promote-actions: version container images and promote them between environments.

The package is laid out by feature: each room (``versions``, ``images``, ``promotion``, ``gates``,
``audit``, ``rollback``, ``matrix``, ``owners``, ``rehearsal``) has a ``command.py`` that declares
its inputs and outputs, pure modules that decide, and nothing that talks. What talks lives in
``adapters``.
"""

__version__ = "1.0.0.dev0"

STDLIB_ONLY = frozenset({"calver", "docker-tags"})
"""The commands that start with nothing installed: they are in every build. Here, because the launcher
asks before it imports anything."""
