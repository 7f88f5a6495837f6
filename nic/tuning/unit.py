"""The systemd unit of a live loop: no root, no more rights than its ports need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nic.tuning.coremask import cores_text
from nic.tuning.knob import TuneError

# Capabilities and address families beyond IP, and devices, that each kind of port needs.
_CAPABILITIES = {
    "socket": (),
    "packet": ("CAP_NET_RAW",),
    "xdp": ("CAP_NET_RAW", "CAP_NET_ADMIN", "CAP_BPF"),
    "dpdk": (),
    "efvi": (),
}
_FAMILIES = {"packet": ("AF_PACKET",), "xdp": ("AF_XDP",)}
_DEVICES = {"dpdk": ("char-vfio rw",), "efvi": ("/dev/onload rw", "/dev/sfc_char rw")}
_ALWAYS_CAPABLE = "CAP_IPC_LOCK"
USER = "sweepwire"
COMMAND = Path("/usr/local/bin/sweepwire")
CONFIG = Path("/etc/sweepwire/live.toml")


@dataclass(frozen=True, slots=True)
class UnitWish:
    """What the unit is for.

    loop, housekeeping: cores; without any the scheduler's choice stays. backends: schemes of the
    ports that the configuration names. command: the `sweepwire` program.
    """

    loop: frozenset[int] = frozenset()
    housekeeping: frozenset[int] = frozenset()
    backends: tuple[str, ...] = ("socket",)
    fifo: bool = False
    user: str = USER
    command: Path = COMMAND
    config: Path = CONFIG

    def __post_init__(self) -> None:
        for backend in self.backends:
            if backend not in _CAPABILITIES:
                known = ", ".join(_CAPABILITIES)
                raise TuneError(f"backend {backend!r}: expected one of {known}")
        for name, path in (("command", self.command), ("config", self.config)):
            if not path.is_absolute() or any(c.isspace() or c in "%\"'\\" for c in str(path)):
                raise TuneError(f"{name} {str(path)!r}: expected an absolute path, without blanks")
        if not self.user.replace("-", "").replace("_", "").isalnum():
            raise TuneError(f"user {self.user!r}: expected a user's name")


def capabilities(wish: UnitWish) -> tuple[str, ...]:
    """What the loop may do beyond an ordinary user."""
    found = [_ALWAYS_CAPABLE, *(["CAP_SYS_NICE"] if wish.fifo else [])]
    found += [name for backend in wish.backends for name in _CAPABILITIES[backend]]
    return tuple(dict.fromkeys(found))


def unit_text(wish: UnitWish) -> str:
    """The unit file."""
    parts = (_head(), _service(wish), _cores(wish), _rights(wish), _walls(wish), _tail())
    return "\n".join("\n".join(part) for part in parts) + "\n"


def _head() -> list[str]:
    return [
        "# Made by `sweepwire tune unit`. Install as /etc/systemd/system/sweepwire.service.",
        "[Unit]",
        "Description=sweepwire: feed handler and order router",
        "Wants=network-online.target",
        "After=network-online.target time-sync.target",
        "",
    ]


def _service(wish: UnitWish) -> list[str]:
    return [
        "[Service]",
        "Type=exec",
        f"User={wish.user}",
        f"ExecStart={wish.command} run --config {wish.config}",
        "# Passwords of sessions: a file of mode 0600 that systemd reads as root.",
        "EnvironmentFile=-/etc/sweepwire/secrets.env",
        "# Who died with orders open is looked at by a person first.",
        "Restart=no",
        "# Time to cancel what is open and to log out.",
        "TimeoutStopSec=30",
        "# Below the folder of `sweepwire tune`, which stays root's.",
        "StateDirectory=sweepwire/live",
        "CacheDirectory=sweepwire",
        "LogsDirectory=sweepwire",
        "Environment=SWEEPWIRE_CACHE=/var/cache/sweepwire",
        "UMask=0077",
        "OOMScoreAdjust=-900",
        "",
    ]


def _cores(wish: UnitWish) -> list[str]:
    lines = []
    if wish.loop:
        lines += [
            "# Where the control threads run. The loop moves its own thread to its core",
            f"# ({cores_text(wish.loop)}), which needs no right; nothing else should be there.",
            f"CPUAffinity={cores_text(wish.housekeeping).replace(',', ' ')}",
        ]
    if wish.fifo:
        lines += [
            "# A FIFO loop that never sleeps wants kernel.sched_rt_runtime_us=-1 (--fifo).",
            "LimitRTPRIO=99",
        ]
    lines += [
        "# The loop's memory is locked whole: a page fault costs microseconds.",
        "LimitMEMLOCK=infinity",
        "LimitNOFILE=65536",
        "",
    ]
    return lines


def _rights(wish: UnitWish) -> list[str]:
    granted = " ".join(capabilities(wish))
    backends = ", ".join(wish.backends)
    return [
        f"# What ports of the kind {backends} need, and locked memory. Nothing else.",
        f"AmbientCapabilities={granted}",
        f"CapabilityBoundingSet={granted}",
        "NoNewPrivileges=yes",
        "",
    ]


def _walls(wish: UnitWish) -> list[str]:
    families = [name for backend in wish.backends for name in _FAMILIES.get(backend, ())]
    devices = [row for backend in wish.backends for row in _DEVICES.get(backend, ())]
    calls = ["@system-service", "adjtimex", *(["bpf"] if "xdp" in wish.backends else [])]
    return [
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "ProtectProc=invisible",
        "ProtectKernelTunables=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelLogs=yes",
        "ProtectControlGroups=yes",
        "ProtectHostname=yes",
        "RestrictNamespaces=yes",
        "RestrictSUIDSGID=yes",
        f"RestrictRealtime={'no' if wish.fifo else 'yes'}",
        "LockPersonality=yes",
        "RemoveIPC=yes",
        "# Kernels are compiled into memory that is written and then run.",
        "MemoryDenyWriteExecute=no",
        "# For /dev/cpu_dma_latency a udev rule has to give the user the device:",
        f'#   KERNEL=="cpu_dma_latency", GROUP="{wish.user}", MODE="0660"',
        "DevicePolicy=closed",
        "DeviceAllow=/dev/cpu_dma_latency rw",
        "DeviceAllow=char-ptp r",
        *(f"DeviceAllow={row}" for row in devices),
        "RestrictAddressFamilies=" + " ".join(["AF_UNIX AF_INET AF_INET6 AF_NETLINK", *families]),
        "# Calls that the filter lets through cost next to nothing since kernel 5.11.",
        "SystemCallArchitectures=native",
        f"SystemCallFilter={' '.join(calls)}",
        "SystemCallErrorNumber=EPERM",
        "",
    ]


def _tail() -> list[str]:
    return ["[Install]", "WantedBy=multi-user.target"]
