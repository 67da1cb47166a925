"""promote-actions: version container images and promote them between environments.

The package is laid out by feature: each room (``versions``, ``images``, ``promotion``, ``gates``,
``audit``, ``rollback``, ``matrix``, ``owners``, ``rehearsal``) has a ``command.py`` that declares
its inputs and outputs, pure modules that decide, and nothing that talks. What talks lives in
``adapters``.
"""

__version__ = "1.0.0.dev0"
