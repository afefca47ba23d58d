"""validate-config, doctor and info: what is asked for, and what this machine can do."""

from __future__ import annotations

from dataclasses import asdict
from typing import get_args

from sandbox import doctor as probe
from synth_dspy.commands.context import Context, print_json, show
from synth_dspy.config import Config, Role
from synth_dspy.config.endpoints import OFFLINE, Endpoint
from synth_dspy.recipes.registry import flow_of
from synth_dspy.sources.listing import clones_to_make


def validate(context: Context, *, online: bool) -> int:
    """Say what a valid configuration comes to: files, cells, models; 2 when an endpoint fails.

    Args:
        online: also ask each endpoint once.

    Raises:
        SourceError: a source is not there, or holds no document.
    """
    config = context.config
    flow_of(config.recipe).check(config, ())
    for line in clones_to_make(config):
        context.say(line)
    outline = list(flow_of(config.recipe).outline(config))
    show(f"{config.file}: valid")
    for line in outline:
        show(f"  {line}")
    for role in get_args(Role):
        endpoint = config.endpoint_for(role)
        show(f"  {role:<11} {endpoint.model_name} ({_address(endpoint)})")
    show(f"  sandbox     {config.sandbox.backend}")
    show(f"  output_dir  {config.output_dir}")
    return _validate_endpoints(config) if online else 0


def _address(endpoint: Endpoint) -> str:
    if endpoint.is_offline:
        return "built in"
    return endpoint.base_url or "the provider's own address"


def _validate_endpoints(config: Config) -> int:
    # DSPy takes a second to import, and only this flag needs it.
    from synth_dspy.commands.probing import probe_endpoints

    found = probe_endpoints(config)
    for one in found:
        if one.model == OFFLINE:
            show(f"  {one.endpoint:<11} {one.model} needs no network")
            continue
        said = one.error or f"answered in {one.latency_ms:.0f} ms"
        show(f"  {one.endpoint:<11} {one.model}, for {', '.join(one.roles)}: {said}")
    return 2 if any(one.error for one in found) else 0


def doctor(*, json_lines: bool) -> int:
    """Probe every sandbox backend; 0 when one can be used, 1 when none."""
    reports = probe()
    usable = [r for r in reports if r.available and r.backend != "process"]
    if json_lines:
        print_json(
            {"usable": [r.backend for r in usable], "backends": [asdict(r) for r in reports]}
        )
        return 0 if usable else 1
    for report in reports:
        state = "works" if report.available else "does not work here"
        show(f"{report.backend:<8} {state}: {report.detail}")
        if report.available:
            enforced = ", ".join(f"{k} {'yes' if v else 'NO'}" for k, v in report.enforces.items())
            milliseconds = report.seconds_per_verification * 1000
            show(f"         enforces: {enforced}; {milliseconds:.1f} ms a verification")
    return 0 if usable else 1
