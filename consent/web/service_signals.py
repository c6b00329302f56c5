"""Tell providers what the visitor chose, in front of their tags and in the words of their own APIs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from markupsafe import Markup, escape

from consent.core.decision import Decision
from consent.core.gate import is_open
from consent.core.privacy_signal import Signals
from consent.core.record import Choice
from consent.core.signal_adapter import SignalMap
from consent.core.signal_call import Region, Situation, fill_calls, select_calls
from consent.core.signal_region import group_regions
from consent.web.fragment import find_fetch_header, find_fragment_header
from consent.web.gpp_setup import GPP
from consent.web.visit import Visit
from consent.wire.gpp_page import describe_gpp, read_gpp_stub
from consent.wire.held_markup import encode_attribute_json, encode_json
from consent.wire.signal_script import write_calls, write_unless_told

_KEPT_LIMIT = 512


def signal_scripts(visit: Visit, keys: Sequence[str], *, is_held: bool) -> Markup:
    """Return what goes in front of the markup of some services: each adapter once a page.

    Args:
        is_held: Whether the markup is held, as all is that stands in held markup: then the browser runtime sees to it
            that nothing is told twice.
    """
    told = visit.site.signals.adapters_by_service
    names = dict.fromkeys(name for key in keys for name in told.get(key, ()))
    is_held = is_held or visit.is_holding
    if not is_held:
        names = dict.fromkeys(name for name in names if name not in visit.told)
        visit.told = visit.told | names.keys()
    return Markup("").join(_write_signal(visit, name, is_held=is_held) for name in names)


def describe_signals(visit: Visit) -> dict[str, object]:
    """Return what the browser runtime is told, so that it can pass on a change; empty if nobody is to be told."""
    setup = visit.site.signals
    if not setup.maps:
        return {}
    is_running = _find_running(visit)
    # As text: the runtime reads its page without prototypes, and providers want plain lists and objects.
    signals = _keep(
        visit,
        ("",),
        lambda: encode_json([_describe_signal(visit, key, found, is_running) for key, found in setup.maps.items()]),
    )
    # Which of them were told something, the runtime sees in the page, parts that come later included.
    return {"signals": signals, "todo": True}


def map_signals(visit: Visit) -> dict[str, Mapping[str, str]]:
    """Return what each provider is told, by adapter key: for the record of a choice."""
    return {key: told for key in visit.site.signals.keys if (told := visit.signals(key))}


def describe_gpp_state(visit: Visit) -> dict[str, object] | None:
    """Return the GPP string with its parts, in the shape that the browser's API gives; None where it does not apply.

    It goes by what the server knows, also where the browser has yet to be asked for its signal.
    """
    setup = visit.site.signals.gpp
    name = setup.find_section_name(visit.place, visit.rules) if setup else None
    if setup is None or name is None:
        return None
    section = setup.describe(name, visit.decision, has_gpc=visit.browser_signals.gpc)
    return describe_gpp([section])


def _write_signal(visit: Visit, name: str, *, is_held: bool) -> Markup:
    if name == GPP:
        return _write_gpp(visit, is_held=is_held)
    text = _keep(visit, (name, is_held), lambda: _write_calls(visit, name, is_held=is_held))
    header = "" if is_held else find_fragment_header(visit.environ) or find_fetch_header(visit.environ)
    if header:
        visit.add_vary(header)
        text = write_unless_told(name, text)
    # Until it runs, the browser runtime must not take it for one that has spoken.
    mark = "data-consent-tells" if is_held else "data-consent-told"
    return Markup(f'<script{_nonce(visit)} {mark}="{escape(name)}">\n{text}\n</script>')  # noqa: S704 - a shipped stub, and JSON


def _keep(visit: Visit, key: tuple[object, ...], write: Callable[[], str]) -> str:
    """Return a text that is the same for all who chose alike, written for the first of them."""
    kept = visit.site.signal_texts
    # The day: laws begin to hold.
    day = visit.site.engine.read_clock().date()
    whole_key = (*key, visit.standing.outcome.likeness, visit.waiting, visit.place is None, visit.record is None, day)
    text = kept.get(whole_key)
    if text is None:
        if len(kept) >= _KEPT_LIMIT:
            kept.clear()
        text = kept[whole_key] = write()
    return text


def _write_calls(visit: Visit, name: str, *, is_held: bool) -> str:
    found = visit.site.signals.maps.get(name)
    calls = fill_calls(found.adapter.before, _find_situation(visit, name, found, is_held=is_held)) if found else ()
    return "\n".join(filter(None, (visit.site.signals.stubs[name], write_calls(calls))))


def _write_gpp(visit: Visit, *, is_held: bool) -> Markup:
    state = describe_gpp_state(visit)
    if state is None:
        return Markup()
    # What is held opens after a choice, and what waits after the browser was asked: the server knows better then.
    known = None if is_held or visit.waiting else state
    page = encode_attribute_json({"url": f"{visit.base_path}gpp", "gpp": known})
    nonce = _nonce(visit)
    return Markup(  # noqa: S704 - escaped here and there
        f"<script{nonce}>{read_gpp_stub()}</script>"
        f"<script src=\"{escape(visit.asset_url('gpp.js'))}\" defer{nonce} data-consent-gpp='{page}'></script>"
    )


def _find_situation(visit: Visit, name: str, found: SignalMap, *, is_held: bool) -> Situation:
    is_running = _find_running(visit)
    states = found.find_states(is_running)
    # Once a held tag opens, the visitor has chosen; while something waits, the browser has yet to be asked.
    is_asking = (visit.needs_prompt or bool(visit.waiting)) and not is_held
    options = visit.site.signals.options[name]
    return Situation(
        states=states,
        choices={key: Choice.GRANTED if is_running((key,)) else Choice.DENIED for key in visit.decision.choices},
        regime=visit.regime,
        is_asking=is_asking,
        options=options,
        regions=_find_regions(visit, found, states) if is_asking and options and visit.place is None else (),
    )


def _find_regions(visit: Visit, found: SignalMap, states: Mapping[str, Choice]) -> tuple[Region, ...]:
    """Return where other defaults hold, for a visitor of whom the server knows neither place nor choice."""
    if visit.record or visit.browser_signals != Signals():
        return ()
    engine = visit.site.engine
    states_by_place: dict[str, Mapping[str, Choice]] = {}
    for code, rules in visit.site.jurisdictions.list_places(now=engine.read_clock()).items():
        stranger = engine.look_up("", is_secure=visit.is_secure, signals=Signals(), jurisdiction=rules)
        # Nothing waits there for the browser's own word, so what the signal would close is denied.
        states_by_place[code] = found.find_states(_make_running(stranger.decision, stranger.outcome.closed_by_gpc))
    return group_regions(states_by_place, states)


def _describe_signal(
    visit: Visit, key: str, found: SignalMap, is_running: Callable[[Collection[str]], bool]
) -> dict[str, object]:
    calls = select_calls(found.adapter.change, regime=visit.regime, options=visit.site.signals.options[key])
    return {
        "key": key,
        "rules": dict(found.rules),
        "states": found.find_states(is_running),
        "change": [[call.call, call.arguments, dict(call.when)] for call in calls],
    }


def _find_running(visit: Visit) -> Callable[[Collection[str]], bool]:
    return _make_running(visit.decision, visit.waiting)


def _make_running(decision: Decision, waiting: Collection[str]) -> Callable[[Collection[str]], bool]:
    """Return what says whether everything among some keys may run, and need not wait."""
    return lambda keys: is_open(decision, keys) and not any(key in waiting for key in keys)


def _nonce(visit: Visit) -> str:
    return f' nonce="{escape(visit.nonce)}"' if visit.nonce else ""
