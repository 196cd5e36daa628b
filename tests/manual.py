"""The parts of the manual that are made from the code: ``test_docs`` compares them.

Written anew with ``PYTHONPATH=src:tests python tests/manual.py`` (from the repository's root).
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from llmos.cli import command
from llmos.cli.failures import MEANINGS
from manifests import cluster_rights, role_matrix

DOCS = Path(__file__).parents[1] / "docs"
WIDTH = 100
CLI_HEAD = """# The llmos command

`llmos` is an ordinary client of the API: what it does, kubectl and any other Kubernetes client may
do too. This page is made from the command's own help texts.

## Which server

`llmos login` writes a context into a kubeconfig, as kubectl knows it. Every other verb works on the
context in use: that of `--context`, else the current one, in the file of `--kubeconfig`, else in
those of `$KUBECONFIG`, else in `~/.kube/config`. Both options may stand before or after the verb.

## Output

Without `-o`, stdout holds text and tables for people. `-o json` and `-o yaml` print objects as the
API answers them, lists as a `List`, without managed fields; `-o name` prints names as kubectl does
(`namespace/team-vision`). What is not the result goes to stderr: errors in one line (`Error: …`),
warnings of the server (`Warning: …`), questions, and what only people want to know.

Secrets that are shown once: `llmos token create` prints the token alone on stdout;
`llmos user create` prints a one-time password after the name, as the field `oneTimePassword` with
`-o json` or `-o yaml`, and on stderr with `-o name`. Passwords are never arguments: they are asked
for at a terminal, or read from stdin with `--password-stdin`.

## Exit codes

| code | meaning |
| --- | --- |
"""


def verbs(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The help text of a group and of every verb below it, in order."""
    with click.Context(group, info_name=path[0]) as top:
        for name in group.list_commands(top):
            verb = group.get_command(top, name)
            assert verb is not None
            where = (*path, name)
            yield where, help_text(verb, where)
            if isinstance(verb, click.Group):
                yield from verbs(verb, where)


def help_text(verb: click.Command, path: tuple[str, ...]) -> str:
    """What ``--help`` prints, at a width that does not depend on the terminal."""
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    with click.Context(verb, info_name=" ".join(path), **settings) as context:
        return verb.get_help(context)


def cli() -> str:
    """The page about the command."""
    parts = [CLI_HEAD + "\n".join(f"| {code:d} | {text} |" for code, text in MEANINGS.items())]
    parts.append(f"## llmos\n\n```text\n{help_text(command, ('llmos',))}\n```")
    for path, text in verbs(command, ("llmos",)):
        parts.append(f"{'#' * min(len(path), 3)} {' '.join(path)}\n\n```text\n{text}\n```")
    return "\n\n".join(parts) + "\n"


def tenancy() -> str:
    """The page about namespaces, with the table of the roles put in."""
    page = (DOCS / "tenancy.md").read_text(encoding="utf-8")
    matrix = role_matrix.document().partition("\n\n")[2].replace("\n## ", "\n### ")
    return re.sub(
        r"(<!-- roles -->\n).*(<!-- end -->)",
        lambda found: f"{found[1]}\n{matrix.strip()}\n\n{found[2]}",
        page,
        flags=re.DOTALL,
    )


PAGES = {"cli.md": cli, "cluster-rights.md": cluster_rights.document, "tenancy.md": tenancy}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"{DOCS / name}\n")
