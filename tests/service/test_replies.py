"""Which replies the service keeps, and that it keeps no more than that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth_dspy.config import Config
from synth_dspy.service import GenerateRequest, SyntheticDataService
from tests.loopback import Loopback

pytestmark = pytest.mark.anyio

ORDER = GenerateRequest(optimizer="modality", count=3)


def config(run_dir: Path, **more: Any) -> Config:
    return Config.model_validate(
        {"recipe": "routing", "dataset": {"name": "t"}, "output_dir": str(run_dir), **more}
    )


async def made_by(config: Config) -> Any:
    async with SyntheticDataService(config) as service:
        return (await service.generate(ORDER)).data


async def test_the_offline_models_replies_leave_no_file(tmp_path: Path) -> None:
    await made_by(config(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


async def test_without_kept_replies_equal_requests_still_get_equal_data(tmp_path: Path) -> None:
    assert await made_by(config(tmp_path)) == await made_by(config(tmp_path))


async def test_a_file_that_is_named_for_replies_gets_them(tmp_path: Path) -> None:
    file = tmp_path / "shared.sqlite"
    await made_by(config(tmp_path / "run", replies={"path": str(file)}))
    assert file.stat().st_size > 0


async def test_an_equal_request_is_not_paid_twice_even_after_a_restart(tmp_path: Path) -> None:
    with Loopback() as server:
        endpoint = {"name": "m", "model_name": "m", "base_url": server.url}
        paid = config(tmp_path, models={"endpoints": [endpoint]})
        first = await made_by(paid)
        asked = len(server.bodies)
        assert await made_by(paid) == first
        assert len(server.bodies) == asked == 1
