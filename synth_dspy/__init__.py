"""Documents, facts, a query or a content backend in; training data that somebody can trust out."""

__version__ = "0.1.0"
