"""Simulated traders: they know the venue only through its public API, like anybody else."""

from services.simulator.accounts import DemoAccount, demo_accounts
from services.simulator.session import TraderKey
from services.simulator.simulator import Simulator

__all__ = ["DemoAccount", "Simulator", "TraderKey", "demo_accounts"]
