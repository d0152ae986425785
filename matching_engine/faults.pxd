"""The C mirror of `faults.Fault`."""

cdef enum Fault:
    NONE = 0
    NO_ROOM = 1
    ORDER_LOST = 2
