"""CME MDP 3.0: definitions of instruments.

They have most fields in common, in other orders: a definition is a list of names here, and what a
name means stands once. Real prices are wire prices times `display_factor`.
"""

from __future__ import annotations

from typing import Final

from feedhandler.protocols.cme_fields import (
    EVENT,
    SETTL_PRICE_TYPE,
    TRADING_STATUS,
    date,
    i8,
    i32,
    le,
    message,
    price,
    u8,
    u32,
    u64,
)
from feedhandler.protocols.cme_updates import decimals_of
from feedhandler.wire.field import Field
from feedhandler.wire.record import Record
from feedhandler.wire.sbe import SbeGroup, entry

ATTRIBUTES = (
    "electronic match eligible,order cross eligible,block trade eligible,EFP eligible,"
    "EBF eligible,EFS eligible,EFR eligible,OTC eligible,indicative mass quoting eligible,"
    "negative strike eligible,negative price outright eligible,fractional,"
    "volatility quoted option,RFQ cross eligible,zero price outright eligible,decaying product,"
    "variable product,daily product,GT orders eligible,implied matching eligible,"
    "triangulation eligible,variable cab eligible,inverted book,all or none,SEF regulated,"
    "MTF regulated,eFix instrument,hedge instrument"
).split(",")
UPDATE_ACTION = {"A": "add", "D": "delete", "M": "modify"}
MATURITY = tuple(
    le.uint(name, width, values={(1 << 8 * width) - 1: "null"}, within=("maturity_month_year",))
    for name, width in (("year", 2), ("month", 1), ("day", 1), ("week", 1))
)

OWN: Final = (
    EVENT,
    u32("tot_num_reports", note="instruments in the replay loop"),
    le.alpha("security_update_action", 1, UPDATE_ACTION),
    le.u64("last_update_time", note="ns since the epoch"),
    u8("md_security_trading_status", TRADING_STATUS),
    le.sint("appl_id", 2, note="the channel"),
    le.u8("market_segment_id"),
    u8("underlying_product"),
    le.sint("security_id", 4),
    le.u8("put_or_call", values={0: "put", 1: "call"}),
    le.u32("min_trade_vol"),
    le.u32("max_trade_vol"),
    u8("main_fraction"),
    u8("sub_fraction"),
    u8("price_display_format"),
    le.flags("settl_price_type", 1, SETTL_PRICE_TYPE),
    i32("open_interest_qty"),
    i32("cleared_volume"),
    i32("decay_quantity"),
    i32("original_contract_size"),
    i32("contract_multiplier"),
    i8("contract_multiplier_unit"),
    i8("flow_schedule_type"),
    i8("tick_rule"),
    u64("instrument_guid"),
    le.u16("coupon_frequency_period", values={65_535: "null"}),
    u8("security_alt_id_source"),
    le.u8("repo_sub_type", values={0: "special", 1: "GC", 2: "GC for DBV"}),
    u8("money_or_par"),
    le.u8("max_no_of_substitutions"),
    u8("broken_date_term_type"),
    le.u8("price_precision"),
    le.u16("intervening_days"),
    le.u32("min_quote_life"),
    u32("alt_min_quote_life"),
)
DATES: Final = (
    "trading_reference_date decay_start_date issue_date dated_date maturity_date start_date"
    " end_date"
).split()
TEXTS: Final = {
    "security_exchange": 4,
    "security_group": 6,
    "asset": 6,
    "symbol": 20,
    "security_type": 6,
    "cfi_code": 6,
    "currency": 3,
    "settl_currency": 3,
    "strike_currency": 3,
    "price_quote_currency": 3,
    "match_algorithm": 1,
    "unit_of_measure": 30,
    "user_defined_instrument": 1,
    "security_sub_type": 5,
    "price_quote_method": 5,
    "risk_set": 6,
    "market_set": 6,
    "financial_instrument_full_name": 35,
    "coupon_frequency_unit": 3,
    "coupon_day_count": 20,
    "country_of_issue": 2,
    "issuer": 25,
    "security_alt_id": 12,
    "party_role_clearing_org": 5,
    "termination_type": 8,
    "term_code": 20,
    "fx_currency_symbol": 7,
    "settl_type": 3,
    "fx_benchmark_rate_fix": 20,
    "rate_source": 12,
    "fix_rate_local_time": 8,
    "fix_rate_local_time_zone": 20,
    "settlement_locale": 8,
}
KNOWN: Final[dict[str, Field]] = {
    **{field.name: field for field in OWN},
    **{name: date(name) for name in DATES},
    **{name: le.alpha(name, width) for name, width in TEXTS.items()},
}


def named(decimals: int, names: str) -> tuple[Field, ...]:
    """The fields of some names; what is not known above is a price."""
    made: list[Field] = []
    for name in names.split():
        if name == "maturity_month_year":
            made += MATURITY
        else:
            made.append(KNOWN.get(name) or price(name, decimals))
    return tuple(made)


HEAD = (
    "match_event_indicator tot_num_reports security_update_action last_update_time"
    " md_security_trading_status appl_id market_segment_id underlying_product security_exchange"
    " security_group asset symbol security_id security_type cfi_code "
)
VOLUMES = " match_algorithm min_trade_vol max_trade_vol"
LIMITS = " high_limit_price low_limit_price max_price_variation"
FRACTIONS = " main_fraction sub_fraction price_display_format"
UNITS = " unit_of_measure unit_of_measure_qty trading_reference_price"
FUTURE = (
    HEAD
    + "maturity_month_year currency settl_currency"
    + VOLUMES
    + " min_price_increment display_factor"
    + FRACTIONS
    + UNITS
    + " settl_price_type open_interest_qty cleared_volume"
    + LIMITS
    + " decay_quantity decay_start_date original_contract_size contract_multiplier"
    " contract_multiplier_unit flow_schedule_type min_price_increment_amount"
    " user_defined_instrument"
)
SPREAD = (
    HEAD
    + "maturity_month_year currency security_sub_type user_defined_instrument"
    + VOLUMES
    + " min_price_increment display_factor price_display_format price_ratio tick_rule"
    " unit_of_measure trading_reference_price settl_price_type open_interest_qty cleared_volume"
    + LIMITS
    + " main_fraction sub_fraction"
)
OPTION = (
    HEAD + "put_or_call maturity_month_year currency strike_price strike_currency settl_currency"
    " min_cab_price"
    + VOLUMES
    + " min_price_increment min_price_increment_amount display_factor tick_rule"
    + FRACTIONS
    + UNITS
    + " settl_price_type cleared_volume open_interest_qty low_limit_price high_limit_price"
    " user_defined_instrument"
)
FIXED_INCOME = (
    HEAD
    + "currency settl_currency"
    + VOLUMES
    + " min_price_increment display_factor"
    + FRACTIONS
    + UNITS
    + " trading_reference_date"
    + LIMITS
    + " min_price_increment_amount issue_date dated_date maturity_date coupon_rate par_value"
    " coupon_frequency_unit coupon_frequency_period coupon_day_count country_of_issue issuer"
    " financial_instrument_full_name security_alt_id security_alt_id_source price_quote_method"
    " party_role_clearing_org user_defined_instrument risk_set market_set instrument_guid"
)
REPO = (
    HEAD
    + "currency settl_currency"
    + VOLUMES
    + " min_price_increment display_factor"
    + UNITS
    + " trading_reference_date"
    + LIMITS
    + " financial_instrument_full_name party_role_clearing_org start_date end_date"
    " termination_type repo_sub_type money_or_par max_no_of_substitutions price_quote_method"
    " user_defined_instrument risk_set market_set instrument_guid"
)
FX = (
    HEAD
    + "currency settl_currency price_quote_currency"
    + VOLUMES
    + " min_price_increment display_factor price_precision unit_of_measure unit_of_measure_qty"
    + LIMITS
    + " user_defined_instrument financial_instrument_full_name fx_currency_symbol settl_type"
    " intervening_days fx_benchmark_rate_fix rate_source fix_rate_local_time"
    " fix_rate_local_time_zone min_quote_life max_price_discretion_offset instrument_guid"
    " maturity_month_year settlement_locale"
)
NEW_SPREAD = (
    " price_quote_method risk_set market_set instrument_guid financial_instrument_full_name"
)
NEW_FX = (
    "alt_min_price_increment alt_min_quote_life alt_price_increment_constraint"
    " max_bid_ask_constraint"
)

EVENTS = SbeGroup(
    "events",
    entry(
        "event",
        le.u8("event_type", values={5: "activation", 7: "last eligible trade date"}),
        le.u64("event_time", note="ns since the epoch"),
    ),
)
FEED_TYPES = SbeGroup(
    "feed_types",
    entry(
        "feed type",
        le.alpha("md_feed_type", 3, {"GBX": "book", "GBI": "implied book"}),
        le.sint("market_depth", 1, note="levels of the book"),
    ),
)
ATTRIBUTE = SbeGroup(
    "inst_attrib",
    entry(
        "attributes",
        le.flags("inst_attrib_value", 4, {1 << n: text for n, text in enumerate(ATTRIBUTES)}),
    ),
)
LOT_TYPES = SbeGroup(
    "lot_type_rules",
    entry(
        "lot type",
        le.sint("lot_type", 1),
        le.signed_price("min_lot_size", 4, 4, values={(1 << 31) - 1: "null"}),
    ),
)
COMMON = (EVENTS, FEED_TYPES, ATTRIBUTE, LOT_TYPES)


def legs(decimals: int) -> SbeGroup:
    """The legs of a spread."""
    leg = entry(
        "leg",
        le.sint("leg_security_id", 4),
        le.u8("leg_side", values={1: "buy", 2: "sell"}),
        le.sint("leg_ratio_qty", 1),
        price("leg_price", decimals),
        le.signed_price("leg_option_delta", 4, 4, values={(1 << 31) - 1: "null"}),
    )
    return SbeGroup("legs", leg)


UNDERLYINGS = SbeGroup(
    "underlyings",
    entry("underlying", le.sint("underlying_security_id", 4), le.alpha("underlying_symbol", 20)),
)
RELATED = entry("related", le.sint("related_security_id", 4), le.alpha("related_symbol", 20))
REPO_UNDERLYINGS = SbeGroup(
    "underlyings",
    entry(
        "underlying",
        le.alpha("underlying_symbol", 20),
        i32("underlying_security_id"),
        le.alpha("underlying_security_alt_id", 12),
        u8("underlying_security_alt_id_source"),
        le.alpha("underlying_financial_instrument_full_name", 35),
        le.alpha("underlying_security_type", 6),
        le.alpha("underlying_country_of_issue", 2),
        le.alpha("underlying_issuer", 25),
        u8("underlying_max_life_time"),
        le.u16("underlying_min_days_to_maturity", values={65_535: "null"}),
        later=(u64("underlying_instrument_guid"), date("underlying_maturity_date")),
    ),
)
REPO_RELATED = entry(
    "related",
    le.sint("related_security_id", 4),
    le.alpha("related_symbol", 20),
    u64("related_instrument_guid"),
)
BROKEN_DATE = entry(
    "broken date",
    le.u64("broken_date_guid"),
    le.sint("broken_date_security_id", 4),
    date("broken_date_start"),
    date("broken_date_end"),
)
SESSION = entry(
    "trading session",
    date("trade_date"),
    date("settl_date"),
    date("maturity_date"),
    le.alpha("security_alt_id", 12),
)


def definition(code: int, name: str, fields: str, *groups: SbeGroup, later: str = "") -> Record:
    """A definition: its fields by name, the groups that all have, and its own."""
    decimals = decimals_of(code)
    appended = named(decimals, later)
    return message(code, name, named(decimals, fields), *COMMON, *groups, later=appended)


RECORDS = (
    definition(27, "future (legacy)", FUTURE, later="trading_reference_date"),
    definition(29, "spread (legacy)", SPREAD, legs(7), later="trading_reference_date"),
    definition(
        41,
        "option (legacy)",
        OPTION,
        UNDERLYINGS,
        SbeGroup("related_instruments", RELATED, later=True),
        later="trading_reference_date",
    ),
    definition(54, "future", FUTURE + " trading_reference_date", later="instrument_guid"),
    definition(
        55,
        "option",
        OPTION + " trading_reference_date",
        UNDERLYINGS,
        SbeGroup("related_instruments", RELATED),
        later="instrument_guid",
    ),
    definition(56, "spread", SPREAD + " trading_reference_date", legs(9), later=NEW_SPREAD),
    definition(57, "fixed income", FIXED_INCOME),
    definition(
        58,
        "repo",
        REPO,
        REPO_UNDERLYINGS,
        SbeGroup("related_instruments", REPO_RELATED),
        SbeGroup("broken_dates", BROKEN_DATE, later=True),
        later="term_code broken_date_term_type",
    ),
    definition(63, "FX", FX, SbeGroup("trading_sessions", SESSION), later=NEW_FX),
)
