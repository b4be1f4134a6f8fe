"""How this house says no: one exception, one list of stable reasons.

A reason's code is part of the contract with machines and merchants: it is never reused or renamed. Its words live in
`texts.toml` under `reason.<code>` and are chosen only at the edge, in the reader's language.
"""

from __future__ import annotations

from enum import Enum
from typing import Self


class Reason(str, Enum):
    """Stable codes of every refusal, each with the HTTP status it answers with."""

    status: int

    def __new__(cls, code: str, status: int) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.status = status
        return member

    # asking
    BAD_INPUT = ("bad_input", 400)
    REQUEST_ID_MISSING = ("request_id_missing", 400)
    REQUEST_ID_REUSED = ("request_id_reused", 422)
    NOT_LOGGED_IN = ("not_logged_in", 401)
    KEY_UNKNOWN = ("key_unknown", 401)
    SIGNATURE_WRONG = ("signature_wrong", 401)
    CLOCK_WRONG = ("clock_wrong", 401)
    NONCE_REUSED = ("nonce_reused", 401)
    NOT_ALLOWED = ("not_allowed", 403)
    CSRF_WRONG = ("csrf_wrong", 403)
    NOT_FOUND = ("not_found", 404)
    TOO_MANY_REQUESTS = ("too_many_requests", 429)
    BUSY = ("busy", 503)
    DISK_FULL = ("disk_full", 503)
    CHANGED_MEANWHILE = ("changed_meanwhile", 409)
    ALREADY_EXISTS = ("already_exists", 409)
    # codes
    BARCODE_UNREADABLE = ("barcode_unreadable", 422)
    BARCODE_CHECK_WRONG = ("barcode_check_wrong", 422)
    BARCODE_UNKNOWN = ("barcode_unknown", 404)
    BARCODE_AMBIGUOUS = ("barcode_ambiguous", 409)
    WRONG_KIND_SCANNED = ("wrong_kind_scanned", 422)
    # people
    BADGE_UNKNOWN = ("badge_unknown", 401)
    PIN_WRONG = ("pin_wrong", 401)
    PASSWORD_WRONG = ("password_wrong", 401)
    PERSON_LOCKED = ("person_locked", 403)
    DEVICE_NOT_ENROLLED = ("device_not_enrolled", 403)
    NEEDS_TLS = ("needs_tls", 403)
    LOGGED_IN_ELSEWHERE = ("logged_in_elsewhere", 409)
    PAIRING_CODE_WRONG = ("pairing_code_wrong", 401)
    # site and slots
    SLOT_UNKNOWN = ("slot_unknown", 404)
    SLOT_BLOCKED = ("slot_blocked", 409)
    SLOT_SHUT = ("slot_shut", 409)
    SLOT_UNDER_COUNT = ("slot_under_count", 409)
    SLOT_WEIGHT_EXCEEDED = ("slot_weight_exceeded", 409)
    SLOT_LEVEL_WEIGHT_EXCEEDED = ("slot_level_weight_exceeded", 409)
    SLOT_BAY_WEIGHT_EXCEEDED = ("slot_bay_weight_exceeded", 409)
    SLOT_TOO_SMALL = ("slot_too_small", 409)
    SLOT_TAKEN_BY_OTHER_SKU = ("slot_taken_by_other_sku", 409)
    SLOT_OTHER_OWNER = ("slot_other_owner", 409)
    SLOT_WRONG_ZONE = ("slot_wrong_zone", 409)
    SLOT_WRONG_TEMPERATURE = ("slot_wrong_temperature", 409)
    SLOT_TOO_HIGH = ("slot_too_high", 409)
    SLOT_LOOKALIKE_NEAR = ("slot_lookalike_near", 409)
    SLOT_EXPIRY_ORDER = ("slot_expiry_order", 409)
    SLOT_HAZARD_NEAR = ("slot_hazard_near", 409)
    SLOT_WRONG = ("slot_wrong", 409)
    SLOT_KEPT = ("slot_kept", 409)
    NO_SLOT_FITS = ("no_slot_fits", 409)
    PARTS_MISSING = ("parts_missing", 409)
    BAY_IN_USE = ("bay_in_use", 409)
    CONTAINER_UNKNOWN = ("container_unknown", 404)
    CONTAINER_EMPTY = ("container_empty", 409)
    CONTAINER_IN_USE = ("container_in_use", 409)
    STATION_UNKNOWN = ("station_unknown", 404)
    # catalogue
    MERCHANT_UNKNOWN = ("merchant_unknown", 404)
    MERCHANT_BLOCKED = ("merchant_blocked", 403)
    SKU_UNKNOWN = ("sku_unknown", 404)
    SKU_WRONG = ("sku_wrong", 409)
    LOT_REQUIRED = ("lot_required", 422)
    LOT_DATES_REQUIRED = ("lot_dates_required", 422)
    LOT_DATES_WRONG = ("lot_dates_wrong", 422)
    LOT_WRONG = ("lot_wrong", 409)
    # ledger
    STOCK_INSUFFICIENT = ("stock_insufficient", 409)
    STOCK_PROMISED = ("stock_promised", 409)
    STOCK_FROZEN = ("stock_frozen", 409)
    HOLD_CLOSED = ("hold_closed", 409)
    QUANTITY_WRONG = ("quantity_wrong", 422)
    # work
    TASK_TAKEN = ("task_taken", 409)
    TASK_DONE = ("task_done", 409)
    NO_WORK = ("no_work", 404)
    STEP_WRONG = ("step_wrong", 409)
    NOTHING_TO_UNDO = ("nothing_to_undo", 409)
    # inbound
    ASN_UNKNOWN = ("asn_unknown", 404)
    ASN_CLOSED = ("asn_closed", 409)
    NOT_ON_ASN = ("not_on_asn", 409)
    OVER_RECEIPT = ("over_receipt", 409)
    SHELF_LIFE_TOO_SHORT = ("shelf_life_too_short", 409)
    # outbound, picking
    ORDER_UNKNOWN = ("order_unknown", 404)
    ORDER_STATE_WRONG = ("order_state_wrong", 409)
    ORDER_INTERCEPTED = ("order_intercepted", 409)
    ORDER_HANDED_OVER = ("order_handed_over", 409)
    ORDER_NOT_READY = ("order_not_ready", 409)
    NOTHING_TO_ALLOCATE = ("nothing_to_allocate", 409)
    WAVE_UNKNOWN = ("wave_unknown", 404)
    WAVE_STATE_WRONG = ("wave_state_wrong", 409)
    PLAN_UNSOUND = ("plan_unsound", 409)
    TOTE_NOT_ON_CART = ("tote_not_on_cart", 409)
    TOTE_OF_OTHER_ORDER = ("tote_of_other_order", 409)
    CART_FULL = ("cart_full", 409)
    PICK_DONE = ("pick_done", 409)
    PICK_TOO_MANY = ("pick_too_many", 409)
    # packing, shipping, sorting
    ITEM_EXTRA = ("item_extra", 409)
    ITEMS_MISSING = ("items_missing", 409)
    PARCEL_UNKNOWN = ("parcel_unknown", 404)
    PARCEL_STATE_WRONG = ("parcel_state_wrong", 409)
    WEIGHT_MISSING = ("weight_missing", 409)
    WEIGHT_OUTSIDE_TOLERANCE = ("weight_outside_tolerance", 409)
    LABEL_WRONG = ("label_wrong", 409)
    LABEL_DUE = ("label_due", 409)
    WAYBILL_POOL_EMPTY = ("waybill_pool_empty", 409)
    WAYBILL_UNKNOWN = ("waybill_unknown", 404)
    COURIER_UNKNOWN = ("courier_unknown", 404)
    COURIER_WRONG = ("courier_wrong", 409)
    NO_ROUTE = ("no_route", 409)
    PARCEL_TWICE = ("parcel_twice", 409)
    PARCEL_NOT_WEIGHED = ("parcel_not_weighed", 409)
    BAG_WRONG_HUB = ("bag_wrong_hub", 409)
    BAG_CLOSED = ("bag_closed", 409)
    MANIFEST_CLOSED = ("manifest_closed", 409)
    MANIFEST_INCOMPLETE = ("manifest_incomplete", 409)
    CHUTE_UNKNOWN = ("chute_unknown", 404)
    EVENT_GAP = ("event_gap", 409)
    PRINT_JOB_UNKNOWN = ("print_job_unknown", 404)
    PRINTER_DOWN = ("printer_down", 409)
    CODE_UNPRINTABLE = ("code_unprintable", 422)
    LABEL_MAYBE_PRINTED = ("label_maybe_printed", 409)
    # counting
    COUNT_MOVED_MEANWHILE = ("count_moved_meanwhile", 409)
    COUNT_NEEDS_SECOND_PERSON = ("count_needs_second_person", 409)
    # files and settings
    FILE_ROW_WRONG = ("file_row_wrong", 422)
    SCHEMA_NEWER = ("schema_newer", 409)


class Refused(Exception):
    """A lawful no. Raising it rolls back what was begun; `facts` fill the placeholders of the reason's sentence."""

    def __init__(self, reason: Reason, **facts: object) -> None:
        self.reason = reason
        self.facts = facts
        super().__init__(f"{reason.value} {facts}" if facts else reason.value)
