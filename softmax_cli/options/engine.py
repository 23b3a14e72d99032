"""Who runs the units of a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from softmax_cli.engines import Engine

PANEL = "Beyond one machine"


@dataclass(frozen=True)
class EngineOptions:
    """The engine."""

    engine: Annotated[
        str | None,
        typer.Option(
            help="ray, spark or dask: its workers do the units, on the cluster that RAY_ADDRESS, spark-submit or "
            "DASK_SCHEDULER_ADDRESS names, else on --threads workers here. Unsaid, or local: processes of this "
            "machine.",
            rich_help_panel=PANEL,
        ),
    ] = None

    @property
    def is_local(self) -> bool:
        """Whether the processes of this machine do the work."""
        return self.engine in (None, "local")

    def load(self) -> Engine:
        """Return the engine.

        Raises
        ------
        UsageError
            There is no such engine, or it is not installed.
        """
        from softmax_cli import engines

        return engines.by_name(self.engine or "local")
