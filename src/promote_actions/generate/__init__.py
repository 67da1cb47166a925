"""What is made from the commands' specifications: every ``action.yml`` and ``docs/reference.md``.

``python -m promote_actions.generate`` writes the files, with ``--check`` it only compares. A room for
the people who work on this repository; nothing else imports it.
"""
