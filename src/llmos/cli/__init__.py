"""The llmos command: one file a verb."""

import click

from llmos import __version__
from llmos.cli.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="llmos %(version)s")
def main() -> None:
    """Namespaces that isolate teams on one AI cluster."""


main.add_command(serve)
