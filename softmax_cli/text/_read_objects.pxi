# Lines of JSON objects to numbers and spans.

cdef inline const uint8_t *skip_blanks(const uint8_t *p, const uint8_t *end) noexcept nogil:
    while p < end and (p[0] == c" " or p[0] == c"\t" or p[0] == c"\r"):
        p += 1
    return p


cdef inline const uint8_t *read_string(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """What follows the string that begins at `p`; NULL where there is none, or one with escapes."""
    if p == end or p[0] != c'"':
        return NULL
    p += 1
    while p < end and p[0] >= 32 and p[0] != c"\\":
        p += 1
        if (p - 1)[0] == c'"':
            return p
    return NULL


cdef const uint8_t *read_scores(
    const uint8_t *p, const uint8_t *end, double *out, Py_ssize_t step, int32_t size
) noexcept nogil:
    """Read a number, or a list of `size` numbers; return what follows, NULL where something else stands there."""
    cdef int32_t i
    if size < 0:
        return read_number(p, end, c".", True, out)
    if p == end or p[0] != c"[":
        return NULL
    p = skip_blanks(p + 1, end)
    for i in range(size):
        if i:
            p = skip_blanks(p, end)
            if p == end or p[0] != c",":
                return NULL
            p = skip_blanks(p + 1, end)
        p = read_number(p, end, c".", True, <double *>(<char *>out + i * step))
        if p == NULL:
            return NULL
    p = skip_blanks(p, end)
    return p + 1 if p < end and p[0] == c"]" else NULL


cdef const uint8_t *read_text(const uint8_t *begin, const uint8_t *p, const uint8_t *end, int32_t *span) noexcept nogil:
    """Find a string without escapes (less its quotes), a number as it is spelled, true, false or null (-1)."""
    cdef const uint8_t *after = read_string(p, end)
    cdef double unused
    cdef int32_t inset = after != NULL
    if after == NULL:
        after = read_number(p, end, c".", True, &unused)
    if after == NULL and end - p >= 4 and memcmp(p, b"null", 4) == 0:
        span[0] = span[1] = -1
        return p + 4
    if after == NULL and end - p >= 4 and memcmp(p, b"true", 4) == 0:
        after = p + 4
    if after == NULL and end - p >= 5 and memcmp(p, b"false", 5) == 0:
        after = p + 5
    if after != NULL:
        span[0], span[1] = <int32_t>(p - begin) + inset, <int32_t>(after - begin) - inset
    return after


cdef bint read_object(
    const uint8_t *begin,
    const uint8_t *p,
    const uint8_t *end,
    const uint8_t[::1] keys,
    const int32_t[::1] key_ends,
    const int32_t[::1] roles,
    const int32_t[::1] sizes,
    double[:, :] scores,
    int32_t[:, :, ::1] spans,
    Py_ssize_t row,
) noexcept nogil:
    """Read an object that has just the keys asked for, in their order, and plain values."""
    cdef Py_ssize_t i
    cdef int32_t start = 0, length, role
    cdef int32_t[2] unused
    cdef double ignored
    if p == end or p[0] != c"{":
        return False
    p = skip_blanks(p + 1, end)
    for i in range(roles.shape[0]):
        if i:
            if p == end or p[0] != c",":
                return False
            p = skip_blanks(p + 1, end)
        length = key_ends[i] - start
        if end - p <= length or memcmp(p, &keys[start], length) != 0:
            return False
        start, role = key_ends[i], roles[i]
        p = skip_blanks(p + length, end)
        if p == end or p[0] != c":":
            return False
        p = skip_blanks(p + 1, end)
        if role >= 0:
            p = read_scores(p, end, &scores[row, role], scores.strides[1], sizes[i])
        else:
            p = read_text(begin, p, end, &spans[row, -2 - role, 0] if role < SKIPPED else unused)
        if p == NULL:
            return False
        p = skip_blanks(p, end)
    return p < end and p[0] == c"}" and skip_blanks(p + 1, end) == end


def parse_objects(
    const uint8_t[::1] data not None,
    const uint8_t[::1] keys not None,
    const int32_t[::1] key_ends not None,
    const int32_t[::1] roles not None,
    const int32_t[::1] sizes not None,
    double[:, :] scores not None,
    int32_t[:, :, ::1] spans not None,
    int32_t[::1] starts not None,
):
    """Read lines of objects; see `softmax_cli.text.parsing`. Returns the number of rows and the odd ones."""
    cdef const uint8_t *begin = &data[0] if data.shape[0] else NULL
    cdef const uint8_t *end = begin + data.shape[0]
    cdef const uint8_t *p = begin
    cdef const uint8_t *line
    cdef const uint8_t *stop
    cdef Py_ssize_t row = 0, column
    cdef Faults faults
    cdef Fault fault
    memset(&faults, 0, sizeof(Faults))
    memset(&fault, 0, sizeof(Fault))
    with nogil:
        while p < end:
            line = p
            stop = <const uint8_t *>memchr(p, c"\n", end - p)
            stop = end if stop == NULL else stop
            while p < stop and is_space(p[0]):
                p += 1
            if p < stop:
                starts[row] = <int32_t>(line - begin)
                if not read_object(begin, p, stop, keys, key_ends, roles, sizes, scores, spans, row):
                    fault.row, fault.column, fault.reason = <int32_t>row, -1, ODD_OBJECT
                    fault.start, fault.end = line - begin, stop - begin
                    add_fault(&faults, fault)
                    for column in range(scores.shape[1]):
                        scores[row, column] = NAN
                    for column in range(spans.shape[1]):
                        spans[row, column, 0] = spans[row, column, 1] = MISSING_SPAN
                row += 1
            p = stop + 1 if stop < end else end
    starts[row] = <int32_t>data.shape[0]
    return row, as_list(&faults)
