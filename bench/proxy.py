"""``python -m bench.proxy``: what the proxy costs, beside the same requests without it.

kube-apiserver alone, behind ``kubectl proxy`` and behind ``llmos proxy``, in turn, on one machine
and with one set of data: 10,000 namespaces, of which alice is a member of five.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bench import kube
from bench.behind import KUBECTL, LLMOS, behind_kubectl, behind_llmos, install
from bench.client import Client
from bench.engines import Endpoint, Engine, running
from bench.fixtures import NAMESPACES, READS, SMALL, Bodies, Filler, configmaps, namespace
from bench.generator import Generator, Job, make_generator
from bench.machine import facts
from bench.measures import BenchError
from bench.report import Report

NUMBER = 10_000
"""Namespaces in the cluster."""
MINE = tuple(f"bench-mine-{each}" for each in range(5))
"""Those that alice is a member of."""
CONNECTIONS = (1, 16, 64)


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the table."""

    title: str
    job: Job
    behind: Sequence[str] = (kube.NAME, KUBECTL, LLMOS)


def _operations() -> Iterator[Operation]:
    for number in CONNECTIONS:
        get = Job(configmaps(READS, "cm-1"), user="admin", connections=number)
        yield Operation(f"GET configmap, c{number}", get)
    for number in CONNECTIONS:
        listed = Job(configmaps(SMALL), user="admin", connections=number)
        yield Operation(f"LIST 1,000 configmaps, c{number}", listed)
    for number in CONNECTIONS:
        narrowed = Job(NAMESPACES, user="alice", connections=number)
        yield Operation(f"LIST own 5 of {NUMBER:,} namespaces, c{number}", narrowed, (LLMOS,))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.proxy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="medians are of so many (5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of one run (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there")
    return parser.parse_args()


def _measure(
    endpoints: Mapping[str, Endpoint], generator: Generator, options: argparse.Namespace
) -> Report:
    """All rounds of all operations, the order of the engines turning from round to round."""
    report = Report(list(endpoints))
    for each in _operations():
        job = replace(each.job, seconds=options.seconds)
        for number in range(options.rounds):
            names = each.behind if number % 2 == 0 else each.behind[::-1]
            for name in names:
                report.add(each.title, each.title, name, generator.run(endpoints[name], job))
        print(each.title, file=sys.stderr)
    return report


def _fill(endpoint: Endpoint, directory: Path, generator: Generator) -> None:
    filler = Filler(endpoint, generator, Bodies(directory))
    with Client(endpoint, "admin") as client:
        for name in (READS, SMALL, *MINE):
            client.create(NAMESPACES, namespace(name))
    filler.configmaps(READS, 10)
    filler.configmaps(SMALL, 1_000)
    filler.namespaces(NUMBER - len(MINE) - 2)


def _run(assets: Path, directory: Path, options: argparse.Namespace) -> None:
    generator = make_generator(directory)

    def start(place: Path) -> Engine:
        return kube.start(assets, place, {"admin": "system:masters"})

    with ExitStack() as stack:
        upstream = stack.enter_context(running(start, directory / "kube")).endpoint
        install(upstream, directory)
        _fill(upstream, directory, generator)
        endpoints = {
            kube.NAME: upstream,
            KUBECTL: stack.enter_context(behind_kubectl(upstream, directory)),
            LLMOS: stack.enter_context(behind_llmos(upstream, directory, MINE)),
        }
        report = _measure(endpoints, generator, options)
    machine = facts(directory, generator.name)
    print("\n".join(f"- {name}: {value}" for name, value in machine.items()), end="\n\n")
    print(report.table())
    if options.json:
        options.json.write_text(json.dumps(report.as_json(machine), indent=2))


def main() -> int:
    """Measure, and print the table."""
    options = _options()
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    if not assets:
        print("KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        try:
            _run(Path(assets), Path(name), options)
        except BenchError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
