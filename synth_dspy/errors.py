"""Every error this project raises on purpose.

    SynthError                      what was found, where, what to do about it
    ├── UserError                   the user's input is wrong: exit code 2
    │   ├── ConfigError             a key, a value or a variable of the YAML
    │   ├── SourceError             a source that is not there or cannot be read as a whole
    │   ├── StageError              a stage that does not exist, or whose input has not been made
    │   └── ArtefactError           a compiled program that is missing, was changed or does not fit
    ├── SetupError                  something that this machine lacks: exit code 2
    │   └── BackendError            a content backend that does not answer, or is no backend
    │       └── BackendSlowError    it did not answer in time
    ├── StoreError                  the run directory is locked, full or damaged
    ├── RecordError                 one record cannot be processed: it is counted, the run goes on
    │   ├── DocumentError           a document that cannot be parsed
    │   ├── ReplyError              a model's reply that cannot be read after every retry
    │   └── EndpointError           an endpoint that did not answer after every retry
    └── AdmissionError              no call is made any more: the run is being stopped
        └── BudgetExceededError     max_cost_usd or max_tokens_total is reached: stop admitting

A `RecordError` never ends a run: the runner writes it to the journal as `failed`, with `reason`
and `retryable`, and counts it. `sandbox` has a tree of its own, since it knows nothing of us.
"""

from __future__ import annotations


class SynthError(Exception):
    """Base of all errors below; its text is shown to the user as it is."""


class UserError(SynthError):
    """The user's input is wrong. The command line prints the text and exits with code 2."""


class ConfigError(UserError):
    """A configuration file, key, value or environment variable is wrong."""


class SourceError(UserError):
    """A source is missing or is not what the configuration says it is."""


class StageError(UserError):
    """An unknown stage was named, or a stage was asked for before the one it reads from."""


class ArtefactError(UserError):
    """A compiled program is missing, was changed after it was written, or does not fit."""


class SetupError(SynthError):
    """This machine lacks something; the text says what and how to get it. Exit code 2."""


class BackendError(SetupError):
    """A content backend is not there or cannot be read; the text says how to start one."""


class BackendSlowError(BackendError):
    """A content backend did not answer in time."""


class StoreError(SynthError):
    """The run directory cannot be used: locked by another run, out of space, or damaged."""


class RecordError(SynthError):
    """One record cannot be processed.

    Attributes:
        reason: machine-readable, one word or a few with underscores: `unreadable`, `timeout`.
        retryable: whether the next run should try again (a network fault: yes; a broken file: no).
    """

    retryable = False

    def __init__(self, reason: str, detail: str = "", *, retryable: bool | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        if retryable is not None:
            self.retryable = retryable


class DocumentError(RecordError):
    """A document cannot be parsed (truncated, encrypted, not what its name says)."""


class ReplyError(RecordError):
    """A model's reply could not be read as the signature's fields, after every retry."""


class EndpointError(RecordError):
    """An endpoint refused or did not answer, after every retry."""

    retryable = True


class AdmissionError(SynthError):
    """A call was not made since the run is ending; what it was for is begun again by the next."""


class BudgetExceededError(AdmissionError):
    """The run's `max_cost_usd` or `max_tokens_total` would be passed by one more call."""
