"""A whole small market, driven by a plain matching: what it is like is what was configured."""

from __future__ import annotations

import numpy as np
import pytest
from flow_rig import changed, measured, times

from nic.regions import reset, violations
from simulator.flow.flow import OrderFlow
from simulator.flow.measures import load, save
from simulator.matching import records as r

INSTRUMENTS = 6


@pytest.fixture(scope="module")
def market():
    reset()
    settings = changed(activity={"new_orders_per_s": 700.0})
    with OrderFlow(INSTRUMENTS, times(24), 11, settings) as flow:
        plain, statistics, sent = measured(flow, 4)
        yield flow, plain, statistics, np.concatenate(sent)
    assert violations().count == 0, violations()


def test_measures_are_within_their_targets(market):
    _, _, statistics, _ = market
    assert statistics.missed() == [], statistics.rows()
    assert {name for name, *_, value in statistics.rows() if value is None} == set()


def test_activity_follows_zipfs_law(market):
    *_, sent = market
    counts = np.bincount(sent["instrument"][sent["kind"] == r.NEW], minlength=INSTRUMENTS + 1)[1:]
    assert counts[0] > 1.4 * counts[1] > counts[4]
    assert 3 < counts[0] / counts[INSTRUMENTS - 1] < 12


def test_the_day_is_a_u(market):
    *_, statistics, _ = market
    seconds = np.array(statistics.intensity.values)
    assert seconds[-3:].mean() > seconds[8:14].mean()


def test_sweeps_reach_several_venues_at_once(market):
    *_, sent = market
    sweeps = sent[(sent["flags"] & r.SWEEP) != 0]
    assert (sweeps["time_in_force"] == r.IOC).all()
    owners = {int(owner) for owner in sweeps["owner"]}
    assert len(owners) >= 5
    taking = sent[(sent["kind"] == r.NEW) & (sent["time_in_force"] == r.IOC)]
    assert 0.3 < len(sweeps) / len(taking) < 0.95


def test_every_venue_has_its_share(market):
    flow, _, statistics, _ = market
    whole = sum(statistics.venues.values())
    for venue in flow.venues:
        if venue.kind == "lit":
            share = statistics.venues[venue.name] / whole
            assert 0.4 * venue.share < share < 2.5 * venue.share


def test_the_flow_follows_what_venues_did(market):
    flow, plain, _, _ = market
    counters = flow.counters()
    assert counters["executions"] > 300
    assert counters["rejected"] < 0.02 * counters["cancels"]
    assert counters["lists_full"] == 0
    there = sum(len(venue.orders) for venue in plain.venues)
    assert abs(there - counters["live_orders"]) <= 0.02 * there


def test_depth_grows_from_the_touch_and_queues_are_short(market):
    *_, statistics, _ = market
    assert statistics.depth.values[0] > 0
    assert sum(statistics.depth.values[:10]) > sum(statistics.depth.values[20:30])
    assert sum(statistics.queues.values) == pytest.approx(1)
    assert sum(statistics.queues.values[1:12]) > 0.6


def test_lifetimes_are_cumulative_and_clusters_decay(market):
    *_, statistics, _ = market
    for series in statistics.lifetimes.values():
        assert (np.diff(series.values) >= 0).all() and series.values[-1] > 0.9
    assert statistics.fano.values[0] < statistics.fano.values[-1]
    assert statistics.autocorrelation.values[0] > statistics.autocorrelation.values[-1]


def test_statistics_are_kept_as_json(market, tmp_path):
    *_, statistics, _ = market
    path = tmp_path / "market.json"
    save(statistics, path)
    assert load(path) == statistics
