"""``llmos completion``: what a shell needs to complete our command line."""

import click
from click.shell_completion import get_completion_class

from llmos.cli.options import examples

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_LLMOS_COMPLETE"


@click.command(
    epilog=examples(
        "source <(llmos completion bash)",
        'llmos completion zsh > "${fpath[1]}/_llmos"',
        "llmos completion fish > ~/.config/fish/completions/llmos.fish",
    )
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that completes llmos in a shell."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "llmos", VARIABLE).source())
