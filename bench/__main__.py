"""``python -m bench``: measure this server, and kube-apiserver beside it where there is one.

With ``KUBEBUILDER_ASSETS`` naming a folder that has ``kube-apiserver`` and ``etcd``, both are
measured in turn on the same machine, and the last column says how many times better this one is.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from bench import embedded, kube
from bench.engines import Start
from bench.generator import make_generator
from bench.machine import facts, file_system
from bench.measures import BenchError
from bench.report import Report
from bench.run import GROUPS, Run, Settings

_NOTES = """\
TLS everywhere; every write is durable before its answer. Medians of the rounds. Latencies are of
answers, for watches from the sending of a POST to the event. *: the generator was the limit."""


def _groups(text: str) -> list[str]:
    chosen = text.split(",")
    unknown = [each for each in chosen if each not in GROUPS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(GROUPS)}")
    return chosen


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, help="medians are of so many (default: 5)")
    parser.add_argument("--seconds", type=float, help="of one run of an operation (default: 0.6)")
    parser.add_argument("--only", type=_groups, metavar="GROUP,…", help=", ".join(GROUPS))
    parser.add_argument("--quick", action="store_true", help="one short round, no large data")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there")
    parser.add_argument("--directory", type=Path, help="where the servers keep their data")
    parser.add_argument("--alone", action="store_true", help="no kube-apiserver")
    return parser.parse_args()


def _settings(options: argparse.Namespace) -> Settings:
    rounds, seconds, groups = 5, 0.6, list(GROUPS)
    if options.quick:
        rounds, seconds, groups = 1, 0.4, [each for each in GROUPS if each != "memory"]
    return Settings(options.rounds or rounds, options.seconds or seconds, options.only or groups)


def _engines(alone: bool) -> dict[str, Start]:
    engines: dict[str, Start] = {embedded.NAME: embedded.start}
    folder = os.environ.get("KUBEBUILDER_ASSETS", "")
    assets = Path(folder)
    if not alone and folder and (assets / "kube-apiserver").exists() and (assets / "etcd").exists():
        engines[kube.NAME] = kube.starter(assets)
    return engines


def main() -> int:
    """Measure, and print the table."""
    options = _options()
    engines = _engines(options.alone)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.directory) as name:
        directory = Path(name)
        if file_system(directory) == "tmpfs":
            print("memory instead of a disk: no write is durable; see --directory", file=sys.stderr)
        generator = make_generator(directory)
        machine = facts(directory, generator.name)
        report = Report(list(engines))
        try:
            Run(engines, directory, generator, _settings(options), report).all()
        except BenchError as error:
            print(error, file=sys.stderr)
            return 1
    print("\n".join(f"- {name}: {value}" for name, value in machine.items()), end="\n\n")
    print(report.table(), end="\n\n")
    print(_NOTES)
    if options.json:
        options.json.write_text(json.dumps(report.as_json(machine), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
