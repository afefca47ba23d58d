"""The `routing` recipe: content of a backend in, examples for one optimizer out.

sample-content -> select-profiles -> plan-examples -> generate-examples -> export
"""

from __future__ import annotations

from synth_dspy.programs.routing.program import RoutingProgram
from synth_dspy.programs.routing.records import Draw
from synth_dspy.programs.routing.registry import get_optimizer_config
from synth_dspy.recipes.resources import Resources
from synth_dspy.sources.backends import ContentBackend
from synth_dspy.sources.backends.orders import sample_orders
from synth_dspy.stages.contract import Stage
from synth_dspy.stages.routing import (
    GenerateExamples,
    PlanExamples,
    SampleContent,
    SelectProfiles,
)
from synth_dspy.stages.routing_export import ExportExamples, RoutingCard

STAGES: tuple[type[Stage], ...] = (
    SampleContent, SelectProfiles, PlanExamples, GenerateExamples, ExportExamples,
)  # fmt: skip


def first_draw(resources: Resources, backend: ContentBackend) -> Draw:
    """What enters the first stage.

    Raises:
        BackendError: the backend does not answer.
    """
    config = resources.config
    routing = config.routing
    optimizer = get_optimizer_config(routing.optimizer)
    orders = sample_orders(
        routing.strategies or (optimizer.strategy,),
        size=routing.sample_size,
        tenant=routing.tenant,
        seed=config.seed,
        recency_days=routing.recency_days,
    )
    return Draw(optimizer.name, tuple(orders), backend.version())


def routing_stages(resources: Resources, backend: ContentBackend) -> tuple[Stage, ...]:
    """The stages, wired."""
    config = resources.config
    routing, dataset = config.routing, config.dataset
    optimizer = get_optimizer_config(routing.optimizer)
    program = RoutingProgram(routing)
    resources.bind(program)
    generator = program.generators[optimizer.name]
    agents = {name: agent.model_dump(mode="json") for name, agent in routing.agents.items()}
    profiles = {name: one.model_dump(mode="json") for name, one in routing.profiles.items()}
    return (
        SampleContent(backend),
        SelectProfiles(
            program.selector,
            f"{optimizer.description} Queries for {generator.purpose}.",
            generator.modalities_needed,
            routing.max_profiles,
            (
                routing.profile_selection,
                profiles,
                program.fingerprint(program.selector)
                if routing.profile_selection == "model"
                else "",
            ),
        ),
        PlanExamples(
            generator,
            count=routing.count,
            per_call=routing.queries_per_call,
            seed=config.seed,
            settings=agents,
        ),
        GenerateExamples(
            generator,
            program.writer,
            per_call=routing.queries_per_call,
            settings=(agents, generator.purpose, program.fingerprint(program.writer)),
            concurrency=config.generation.llm_concurrency,
        ),
        ExportExamples(
            resources.run_dir,
            optimizer,
            RoutingCard(
                name=dataset.name,
                description=dataset.description,
                license=dataset.license,
                content=f"{backend.name}: {backend.described}",
                model=config.endpoint_for("question").model_name,
                seed=config.seed,
                ratios=dataset.ratios,
            ),
        ),
    )
