cimport cython

from matching_engine.event_log cimport EventLog
from matching_engine.pools cimport is_integer
from matching_engine.records cimport CLIENT_ORDER_ID_BYTES, CommandRow, EventRow

cdef extern from *:
    """
    #include <string.h>
    /* An Event with the values of a row; the fields of a kind stand together in it. */
    static inline PyObject *rex_event_tuple(PyObject *kind, const void *address) {
        const struct {
            unsigned long long wide[3];
            long long words[7];
            unsigned int numbers[4];
            unsigned short instrument;
            unsigned char codes[6];
        } *row = address;
        PyObject *event = PyType_GenericAlloc((PyTypeObject *)kind, 21);
        if (event == NULL) return NULL;
        for (int i = 0; i < 21; i++) {
            PyObject *value = i < 3    ? PyLong_FromUnsignedLongLong(row->wide[i])
                              : i < 10 ? PyLong_FromLongLong(row->words[i - 3])
                              : i < 14 ? PyLong_FromUnsignedLong(row->numbers[i - 10])
                              : i < 15 ? PyLong_FromLong(row->instrument)
                                       : PyLong_FromLong(row->codes[i - 15]);
            if (value == NULL) { Py_DECREF(event); return NULL; }
            PyTuple_SET_ITEM(event, i, value);
        }
        return event;
    }
    """
    object event_tuple "rex_event_tuple"(object kind, const EventRow *row)
    const char *bytes_of "PyBytes_AS_STRING"(object text)
    void *memset(void *target, int value, size_t size) noexcept nogil
    void *memcpy(void *target, const void *source, size_t size) noexcept nogil

cdef enum:
    FIELDS = 30
    TEXT = 28

@cython.final
cdef class OneCommand:
    cdef CommandRow[::1] rows

    @cython.locals(values=tuple, text=bytes)
    cdef int read(self, object command) except -1

cdef list events_of(EventLog log)
