cimport cython
from libc.string cimport memcpy, memset

from matching_engine.event_log cimport EventLog
from matching_engine.pools cimport is_integer
from matching_engine.record_copies cimport (
    CLIENT_ORDER_ID_FIELD,
    COMMAND_FIELDS,
    EVENT_FIELDS,
    fill_command,
    fill_event,
)
from matching_engine.records cimport CLIENT_ORDER_ID_BYTES, CommandRow

cdef extern from *:
    """
    /* 0 if every item of a new tuple is set; -1, with the exception set, if there was no memory for one of them. */
    static inline int rex_check_tuple(PyObject *items) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items); i++)
            if (PyTuple_GET_ITEM(items, i) == NULL) return -1;
        return 0;
    }
    """
    # A new tuple, or a new instance of a subclass, whose items are not set yet.
    object new_tuple "PyType_GenericAlloc"(type kind, Py_ssize_t size)
    int check_tuple "rex_check_tuple"(object items) except -1
    const char *bytes_of "PyBytes_AS_STRING"(object text)

@cython.final
cdef class OneCommand:
    cdef CommandRow[::1] rows

    @cython.locals(values=tuple, text=bytes)
    cdef int read(self, object command) except -1

cdef list events_of(EventLog log)
