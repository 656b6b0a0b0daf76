"""The command line: one thin file per verb.

In: arguments, and YAML files named by ``--config``.
Out: the path of the result on standard output, everything else on standard error, an exit code.
Needs: typer; each verb imports its room when it runs, so that ``--help`` costs next to nothing.
"""
