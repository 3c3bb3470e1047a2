"""What may end somebody's command: told to her as it is, so it never holds a value of a report or of a call."""


class Told(Exception):
    """The message is a sentence without its full stop: what is the matter, and the cure."""
