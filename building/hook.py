"""What hatchling runs before it packs a wheel, or an editable one; see ``pyproject.toml``."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Builders run this file by its path, from wherever they are.
sys.path.insert(0, str(Path(__file__).parents[1]))

from building.page import build_page
from building.schemas import write_schemas


class BuildHook(BuildHookInterface[Any]):
    """Makes what the ``artifacts`` of pyproject.toml take along."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the shape of hatch
        """Make the schemas and the page; a source distribution has what they are made of."""
        if self.target_name == "wheel":
            write_schemas()
            build_page(tools=version == "editable")
