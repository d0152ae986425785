"""The C mirror of `faults.Fault`."""

cdef enum Fault:
    NONE = 0
    NO_ROOM = 1
    ORDER_LOST = 2
    NOT_IN_SEQUENCE = 3
    CASH_NOT_CONSERVED = 4
    INVENTORY_NOT_CONSERVED = 5
    OVERDRAWN = 6
