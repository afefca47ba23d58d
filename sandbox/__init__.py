"""Runs code that nobody trusts, and says whether it passed its tests. Knows nothing of models."""

from sandbox.doctor import doctor
from sandbox.errors import SandboxError, SandboxUnavailable
from sandbox.opening import open_sandbox
from sandbox.protocol import Sandbox
from sandbox.records import BackendReport, Evaluation, Job, Limits, Strength, Verdict
from sandbox.verify import job_from_row

__all__ = [
    "BackendReport",
    "Evaluation",
    "Job",
    "Limits",
    "Sandbox",
    "SandboxError",
    "SandboxUnavailable",
    "Strength",
    "Verdict",
    "doctor",
    "job_from_row",
    "open_sandbox",
]
