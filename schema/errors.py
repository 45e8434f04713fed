"""Errors that are the input's or the configuration's fault, not the program's."""


class InputError(ValueError):
    """Bad data or configuration; the command line ends with exit code 2.

    The message is one or two sentences: what was expected, what came (with file,
    line or key), and what to change.
    """
