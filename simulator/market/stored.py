"""Made markets that are kept: made on first use, found again by what they are made from."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from nic.configfile import ConfigError
from nic.kernelcache import cache_root, sources_hash
from simulator.flow.measures import save
from simulator.market.make import Progress, make_market, settings_hash
from simulator.market.manifest import MANIFEST, Manifest, load_manifest
from simulator.market.measure import Measure
from simulator.market.plan import MarketPlan
from simulator.market.tapes import TapePlan
from simulator.publishing.faults import NO_FAULTS, FaultPlan

STATISTICS: Final = "statistics.json"
ROOT: Final = Path(__file__).parents[2]
KEPT: Final = 3


def market_folder(plan: MarketPlan) -> Path:
    """Where a plan's market is kept: among the caches, by the plan and the code that makes it."""
    parts = [settings_hash(plan), plan.seed, plan.day.isoformat(), plan.seconds, plan.before_s]
    parts.append(plan.opening_s)
    made_by = sources_hash(ROOT, "simulator.market")
    raw = msgspec.json.encode([*parts, plan.stop_s, list(plan.symbols), made_by])
    return cache_root() / "markets" / hashlib.sha256(raw).hexdigest()[:16]


def stored_market(plan: MarketPlan, progress: Progress = lambda _: None) -> tuple[Path, Manifest]:
    """The folder of a plan's market, made and measured if it is not there yet.

    Besides what `make_market` writes there is statistics.json. Raises OSError.
    """
    folder = market_folder(plan)
    try:
        return folder, load_manifest(folder)
    except ConfigError:
        shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".market-", dir=folder.parent))
    try:
        manifest = measured_market(plan, part, progress)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    forget_oldest(folder.parent)
    return folder, manifest


def measured_market(
    plan: MarketPlan,
    folder: Path,
    progress: Progress = lambda _: None,
    faults: FaultPlan = NO_FAULTS,
    tapes: TapePlan | None = None,
) -> Manifest:
    """As `make_market`, with statistics.json beside the captures."""
    with Measure(plan) as measure:
        given = {"faults": faults, "tapes": tapes, "progress": progress, "watch": measure.watch}
        manifest = make_market(plan, folder, **given)  # type: ignore[arg-type]
        save(measure.result(), folder / STATISTICS)
    return manifest


def forget_oldest(folder: Path) -> None:
    """Keeps the markets that were made last."""
    found = [path for path in folder.iterdir() if (path / MANIFEST).is_file()]
    found.sort(key=lambda path: (path / MANIFEST).stat().st_mtime_ns, reverse=True)
    for path in found[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
