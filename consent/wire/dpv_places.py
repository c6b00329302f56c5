"""The places that the Data Privacy Vocabulary has terms for, as far as a jurisdiction of ours can name them.

Source:
    DPV 2.3, extension `loc`: countries of ISO 3166-1, and states and provinces of the two countries that have rules of their own.
"""

from __future__ import annotations


def _list_codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COUNTRIES = _list_codes(
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
_REGIONS = {
    "US": _list_codes(
        "AK AL AR AS AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MP MS MT NC ND NE NH NJ NM "
        "NV NY OH OK OR PA PR RI SC SD TN TX UM UT VA VI VT WA WI WV WY"
    ),
    "CA": _list_codes("AB BC MB NB NL NS NT NU ON PE QC SK YT"),
}

EEA = _list_codes(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO AX GF GP MF MQ RE YT"
)
"""Countries, and parts of them with codes of their own, where the General Data Protection Regulation applies."""


def find_place_term(place: str | None) -> str:
    """Return the term for a place such as `FR` or `US-CA`; of a region without one, that of its country; empty for none."""
    country, _, region = (place or "").partition("-")
    if country not in _COUNTRIES:
        return ""
    return f"loc:{country}-{region}" if region in _REGIONS.get(country, ()) else f"loc:{country}"
