"""What travels in the wheel and the source distribution, and that the wheel works by itself."""

from __future__ import annotations

import email
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from synth_dspy import __version__

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("signatures", "sandbox", "synth_dspy")
# Kinds of file that are code or data of the packages, wherever they lie in them.
SHIPPED = {".py", ".typed", ".tmpl", ".css", ".js", ".json", ".yaml", ""}


def build(target: str, folder: Path, source: Path = ROOT) -> Path:
    """The one file that hatchling makes of `source`: `target` is `wheel` or `sdist`."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "-d", str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build("wheel", tmp_path_factory.mktemp("wheel")))


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what installing the wheel would put beside its dependencies."""
    site = tmp_path_factory.mktemp("site")
    wheel.extractall(site)
    return site


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    subprocess.run(["tar", "-xzf", build("sdist", folder), "-C", folder], check=True)
    return folder / f"synth_dspy-{__version__}"


def names(wheel: zipfile.ZipFile) -> set[str]:
    return set(wheel.namelist())


def run_installed(
    installed: Path, folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """A command of the installed wheel, run in `folder`, outside of the repository."""
    env = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_every_module_and_template_of_the_packages_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    there = {
        file.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and file.suffix in SHIPPED and "__pycache__" not in file.parts
    }
    assert there - names(wheel) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_says_that_it_is_typed(wheel: zipfile.ZipFile, package: str) -> None:
    assert f"{package}/py.typed" in names(wheel)


def test_the_quickstart_travels_with_its_documents(wheel: zipfile.ZipFile) -> None:
    configs = ROOT / "configs"
    there = {
        f"synth_dspy/_configs/{file.relative_to(configs).as_posix()}"
        for file in configs.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert "synth_dspy/_configs/quickstart/config.yaml" in there
    assert there - names(wheel) == set()


@pytest.mark.parametrize(
    "part", ["gold/assistant/", "quickstart/docs/", "quickstart/facts/", "quickstart/content/"]
)
def test_what_the_recipes_start_from_travels(wheel: zipfile.ZipFile, part: str) -> None:
    assert [name for name in names(wheel) if name.startswith(f"synth_dspy/_configs/{part}")]


def test_a_program_that_was_promoted_here_travels(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in (*PACKAGES, "configs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    compiled = source / "configs" / "compiled" / "assistant" / "judge" / "0123.json"
    compiled.parent.mkdir(parents=True, exist_ok=True)
    compiled.write_text("{}")
    made = names(zipfile.ZipFile(build("wheel", tmp_path / "made", source=source)))
    assert "synth_dspy/_configs/compiled/assistant/judge/0123.json" in made


def test_the_sandboxs_image_context_travels(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in names(wheel) if name.startswith("sandbox/image/")}
    assert {"sandbox/image/Dockerfile", "sandbox/image/worker.py"} <= inside


def test_nothing_else_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in names(wheel)}
    assert tops == {*PACKAGES, f"synth_dspy-{__version__}.dist-info"}


def test_no_secret_and_no_leftover_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    unwanted = ("__pycache__", ".pyc", ".env", ".ipynb_checkpoints", ".sqlite", "outputs/")
    assert [name for name in names(wheel) for word in unwanted if word in name] == []


def test_the_metadata_names_licence_version_and_command(wheel: zipfile.ZipFile) -> None:
    info = f"synth_dspy-{__version__}.dist-info"
    metadata = email.message_from_bytes(wheel.read(f"{info}/METADATA"))
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert b"synth-dspy = synth_dspy.run:main" in wheel.read(f"{info}/entry_points.txt")
    assert b"Apache License" in wheel.read(f"{info}/licenses/LICENSE")


def test_the_wheel_finds_its_quickstart_outside_the_repository(
    installed: Path, tmp_path: Path
) -> None:
    code = "from synth_dspy.config import default_config_path as d; print(d())"
    done = run_installed(installed, tmp_path, "-c", code)
    assert done.stdout.strip() == str(installed / "synth_dspy/_configs/quickstart/config.yaml"), (
        done.stderr
    )


def test_the_wheel_finds_its_image_context_outside_the_repository(
    installed: Path, tmp_path: Path
) -> None:
    code = (
        "from sandbox.backend import image_folder as f, worker_modules as w;"
        "print(f() / 'Dockerfile'); print(len(w()))"
    )
    done = run_installed(installed, tmp_path, "-c", code)
    dockerfile, modules = done.stdout.split()
    assert Path(dockerfile).is_relative_to(installed)
    assert Path(dockerfile).is_file()
    assert int(modules) == len(list((ROOT / "sandbox" / "image").glob("*.py")))


def test_the_installed_command_checks_its_quickstart(installed: Path, tmp_path: Path) -> None:
    done = run_installed(installed, tmp_path, "-m", "synth_dspy.run", "validate-config")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_source_distribution_holds_what_its_makefile_calls(sdist: Path) -> None:
    for name in ("Makefile", "LICENSE", "CHANGELOG.md", "README.md", "tests/conftest.py",
                 "scripts/install", "scripts/find-python", "benchmarks/__main__.py",
                 "notebooks/01_quickstart.ipynb", "notebooks/report.png",
                 ".env.example"):  # fmt: skip
        assert (sdist / name).is_file(), name
    assert os.access(sdist / "scripts" / "install", os.X_OK)


def test_the_source_distribution_builds_the_same_wheel(
    sdist: Path, wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    again = zipfile.ZipFile(build("wheel", tmp_path, source=sdist))
    assert names(again) == names(wheel)


@pytest.fixture(scope="module")
def command(
    wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs commands of an environment that pip installed the wheel into, in a folder of its own.

    The dependencies are those of this environment, since tests reach no index.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    (site,) = (folder / "venv" / "lib").glob("python3.*/site-packages")
    install = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        str(wheel.filename),
    ]
    subprocess.run(install, check=True)
    here = sysconfig.get_path("purelib")
    (site / "dependencies.pth").write_text(f"{here}\n")

    def run(
        program: str, *arguments: str, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [python.parent / program, *arguments], cwd=cwd or folder, env=env,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.mark.slow
@pytest.mark.parametrize("program", [("synth-dspy",), ("python", "-m", "synth_dspy.run")])
def test_an_installed_wheel_says_its_version(
    command: Callable[..., subprocess.CompletedProcess[str]], program: tuple[str, ...]
) -> None:
    done = command(*program, "--version")
    assert done.returncode == 0, done.stderr
    assert __version__ in done.stdout


@pytest.mark.slow
def test_an_installed_wheel_checks_its_own_quickstart(
    command: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = command("synth-dspy", "validate-config")
    assert done.returncode == 0, done.stderr
    assert "_configs/quickstart/config.yaml" in done.stdout + done.stderr


@pytest.mark.slow
def test_an_installed_wheel_makes_a_dataset_outside_the_repository(
    command: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, sandbox_backend: str
) -> None:
    settings = ["--set", f"sandbox.backend={sandbox_backend}", "--set", "tracking.enabled=false"]
    done = command("python", "-m", "synth_dspy.run", "pipeline", "--trial", *settings, cwd=tmp_path)
    # 1 says that a target was not met, which a small sample's need not be.
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert list((tmp_path / "outputs").glob("*/final/dataset_dict.json"))
