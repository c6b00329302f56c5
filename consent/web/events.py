"""Events that a site can listen to, as blinker signals."""

from __future__ import annotations

from blinker import Namespace

_namespace = Namespace()

consent_recorded = _namespace.signal("consent-recorded")
"""Sent when a visitor has made a choice, before it is answered.

Receivers get the app, and `record` (ConsentRecord) and `previous` (ConsentRecord or None) by
name. If one raises, nothing that the choice would open is opened.
"""

consent_withdrawn = _namespace.signal("consent-withdrawn")
"""Sent when anything went from granted to denied, by whatever action; same arguments."""
