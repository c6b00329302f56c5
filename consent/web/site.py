"""Everything computed once for one app: what a request only looks up."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import resources

from jinja2 import Environment, Template

from consent.core.host_table import HostTable
from consent.core.jurisdiction import JurisdictionTable
from consent.core.ledger import Ledger
from consent.core.lint import Finding
from consent.engine import Engine
from consent.messages import Messages
from consent.web.foreign_tags import ForeignTags
from consent.web.known_user import UserChoices
from consent.web.leak_log import LeakLog
from consent.web.notice_memo import NoticeMemo
from consent.web.place import PlaceFinder
from consent.web.settings import Settings
from consent.web.signal_setup import SignalSetup
from consent.web.tallying import Tallying

log = logging.getLogger("consent")

EXTENSION_KEY = "consent"

_HASH_CHARACTERS = 12
# More than one process announces within the seconds in which a choice can come twice.
_ANNOUNCED_LIMIT = 256

# Spelled out: what `mimetypes` says depends on the machine, and `nosniff` makes a wrong type a script that does not run.
_CONTENT_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """Hold one static file under a name that changes with its content."""

    file_name: str
    """`banner.4f0c2a9b1d3e.css`: safe to cache for ever."""

    body: bytes
    content_type: str


@dataclass(slots=True, kw_only=True)
class Site:
    """Hold the parts of one app's extension: the value of `app.extensions["consent"]`."""

    settings: Settings
    environment: Environment
    """The app's Jinja environment."""

    engine: Engine
    jurisdictions: JurisdictionTable
    find_place: PlaceFinder | None = None
    """Finds where a visitor is; None for not asked, so that everyone's place is unknown."""

    findings: tuple[Finding, ...] = ()
    """What is doubtful in the configuration; what is unlawful has kept the app from starting."""

    users: UserChoices = field(default_factory=UserChoices)
    """Loads and saves the choices of users who are logged in."""

    rules_checked_on: date
    """Day on which the shipped rules of the jurisdictions were last compared with their sources."""

    messages: Messages
    default_language: str
    """What to speak when neither app nor page says anything."""

    assets: Mapping[str, Asset]
    """By plain name, such as `banner.css`."""

    assets_by_file_name: Mapping[str, Asset]
    has_babel: bool = False
    """Whether Flask-Babel is there to be asked for the language."""

    find_nonce: Callable[[], str] | None = None
    """Gives the CSP nonce of a response; found at the first request, when every extension is there."""

    signals: SignalSetup = field(default_factory=SignalSetup)
    """Which providers are told what the visitor chose."""

    foreign_tags: ForeignTags | None = None
    """Reads tags that are written for other consent managers; None for a site without any."""

    ledger: Ledger | None = None
    """Where the proof of each choice is kept; None for nowhere but in the visitor's cookie."""

    is_ledger_ready: bool = True
    """Whether the ledger has got ready at start-up; else that is done before the next choice is kept."""

    tallying: Tallying | None = field(init=False, default=None)
    """Counts what happens, without identifiers, for the ledger; None without one."""

    notices: NoticeMemo = field(default_factory=NoticeMemo)
    """What visitors are shown, as the ledger keeps it."""

    announced: deque[str] = field(default_factory=lambda: deque(maxlen=_ANNOUNCED_LIMIT))
    """Ids of the last choices in the ledger of which this process has told every receiver."""

    snippets: Mapping[str, Template] = field(default_factory=dict)
    """Compiled markup of services by key."""

    banners: dict[tuple[object, ...], str] = field(default_factory=dict)
    """Rendered banner by all that it depends on, with marks where the page's own values go."""

    is_banner_ours: bool = False
    """Whether the banner's template is the library's own: it needs no request, and one rendering can serve all."""

    load_hosts: Callable[[], HostTable]
    """Gives the table of hosts, which is made at its first use."""

    storage: tuple[Mapping[str, str], ...] = ()
    """What services keep in the browser besides cookies: `service`, `area` and `name` of each."""

    scripts: dict[tuple[object, ...], tuple[str, str]] = field(default_factory=dict)
    """The runtime's tag for visitors without a record, cut where nonce and page key go."""

    signal_texts: dict[tuple[object, ...], str] = field(default_factory=dict)
    """What providers are told, written out, by all that it depends on."""

    names_host: bool = False
    """Whether a frame's address names the host that the visitor reached the site by."""

    keeps_banners: bool = False
    """Whether a rendered banner is kept: not while templates are worked on."""

    leaks: LeakLog = field(default_factory=LeakLog)
    """Tells the developer what got past the templates."""

    warned: set[str] = field(default_factory=set)
    """Names of the warnings that were logged already."""

    def __post_init__(self) -> None:
        if self.ledger is not None:
            self.tallying = Tallying(self.ledger)

    @property
    def hosts(self) -> HostTable:
        """Which host belongs to which service, the catalogue's included."""
        return self.load_hosts()

    def warn_once(self, name: str, message: str, *arguments: object) -> None:
        """Log a warning the first time that its name comes up in this process."""
        if name not in self.warned:
            self.warned.add(name)
            log.warning(message, *arguments)


def load_assets() -> dict[str, Asset]:
    """Read the built scripts and stylesheets of the package, by plain name."""
    folder = resources.files("consent") / "static" / "consent"
    names = [entry.name for entry in folder.iterdir() if entry.name.rpartition(".")[2] in _CONTENT_TYPES]
    return {name: _make_asset(name, (folder / name).read_bytes()) for name in names}


def _make_asset(name: str, body: bytes) -> Asset:
    stem, _, ending = name.rpartition(".")
    digest = hashlib.sha256(body).hexdigest()[:_HASH_CHARACTERS]
    return Asset(file_name=f"{stem}.{digest}.{ending}", body=body, content_type=_CONTENT_TYPES[ending])
