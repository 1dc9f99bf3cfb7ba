"""The one exception for input that cannot be used."""


class InputError(ValueError):
    """Input that cannot be used: the message names the argument, what is wrong with it, and how to mend it."""
