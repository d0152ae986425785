# The class PhaseRule, by `make records`.
cdef struct PhaseRuleRow:
    unsigned char refusal
    unsigned char trades
    unsigned char may_be_crossed
