"""Find white blood cells on a stained smear and suggest which of them are blasts.

The rooms of the package, in the order in which data flows through them: ``prepare`` → ``train`` →
``pipeline`` → ``detect``. Importing this package imports nothing else.
"""

__version__ = "0.1.0"
