"""Simulated traders. They use only the venue's public API."""

from services.simulator.accounts import DemoAccount, demo_accounts
from services.simulator.pace import Pace
from services.simulator.session import TraderKey
from services.simulator.simulator import Simulator

__all__ = ["DemoAccount", "Pace", "Simulator", "TraderKey", "demo_accounts"]
