# Delimited lines to numbers and spans.

cdef enum:
    NOT_A_NUMBER = 1
    FIELD_COUNT = 2
    TEXT_AFTER_QUOTE = 3
    OPEN_QUOTE = 4
    ODD_OBJECT = 5

cdef enum:
    TRIES = 4
    MISSING_SPAN = -1
    SKIPPED = -1  # the role of a column that nobody asked for; from 0 on: column of the scores; -2 - i: text column i


cdef struct Fault:
    int32_t row
    int32_t column
    int32_t reason
    int32_t fields
    int64_t start
    int64_t end


cdef struct Faults:
    Fault *items
    int64_t count
    int64_t room
    bint lost  # there was no memory for one


cdef void add_fault(Faults *faults, Fault fault) noexcept nogil:
    cdef Fault *grown
    if faults.count == faults.room:
        faults.room = 2 * faults.room + 16
        grown = <Fault *>realloc(faults.items, faults.room * sizeof(Fault))
        if grown == NULL:
            faults.room = faults.count
            faults.lost = True
            return
        faults.items = grown
    faults.items[faults.count] = fault
    faults.count += 1


cdef list as_list(Faults *faults):
    """The faults as tuples (row, column or -1, reason, fields found, start and end of the cell); frees them."""
    try:
        if faults.lost:
            raise MemoryError("no memory to list what is wrong with the rows")
        return [
            (fault.row, fault.column, fault.reason, fault.fields, fault.start, fault.end)
            for fault in faults.items[: faults.count]
        ]
    finally:
        free(faults.items)


cdef struct Dialect:
    uint8_t delimiter
    uint8_t point
    uint8_t bare_point  # outside of quotes; 0 where the delimiter goes before it
    bint runs  # a run of delimiters is one
    uint64_t pattern  # the delimiter, eight times


cdef inline uint64_t zero_bytes(uint64_t v) noexcept nogil:
    """The high bit of every byte that is zero; bits above the first may be wrong."""
    return (v - 0x0101010101010101ULL) & ~v & 0x8080808080808080ULL


cdef inline bint is_line_end(uint8_t byte) noexcept nogil:
    return byte == c"\n" or byte == c"\r"


cdef inline const uint8_t *find_field_end(const uint8_t *p, const uint8_t *end, const Dialect *dialect) noexcept nogil:
    """The first delimiter or line end from `p` on, or the end."""
    cdef uint64_t v, found
    while end - p >= 8:
        v = load_eight(p)
        found = zero_bytes(v ^ dialect.pattern) | zero_bytes(v ^ 0x0A0A0A0A0A0A0A0AULL) | zero_bytes(v ^ 0x0D0D0D0D0D0D0D0DULL)
        if found:
            return p + (trailing_zeros(found) >> 3)
        p += 8
    while p < end and p[0] != dialect.delimiter and not is_line_end(p[0]):
        p += 1
    return p


cdef inline const uint8_t *find_closing_quote(const uint8_t *opening, const uint8_t *end) noexcept nogil:
    """What follows the quote that closes a cell; NULL where none does. A doubled quote closes nothing."""
    cdef const uint8_t *p = opening + 1
    while True:
        p = <const uint8_t *>memchr(p, c'"', end - p)
        if p == NULL:
            return NULL
        p += 1
        if p == end or p[0] != c'"':
            return p
        p += 1


cdef inline const uint8_t *skip_field(
    const uint8_t *p, const uint8_t *end, const Dialect *dialect, int *reason
) noexcept nogil:
    """The end of the field that begins at `p`; `reason`: what is wrong with its quotes (RFC 4180), untouched if nothing."""
    cdef const uint8_t *after
    if p == end or p[0] != c'"':
        return find_field_end(p, end, dialect)
    after = find_closing_quote(p, end)
    if after == NULL:
        reason[0] = OPEN_QUOTE
        return end
    if after < end and after[0] != dialect.delimiter and not is_line_end(after[0]):
        reason[0] = TEXT_AFTER_QUOTE
        return find_field_end(after, end, dialect)
    return after


cdef inline bint skip_delimiter(const uint8_t **at, const uint8_t *end, const Dialect *dialect) noexcept nogil:
    """Step over what parts two fields; whether there was anything, and so another field follows."""
    cdef const uint8_t *p = at[0]
    if p == end or p[0] != dialect.delimiter:
        return False
    p += 1
    if dialect.runs:
        while p < end and p[0] == dialect.delimiter:
            p += 1
        at[0] = p
        return p < end and not is_line_end(p[0])
    at[0] = p
    return True


cdef const uint8_t *read_odd_score(
    const uint8_t *p, const uint8_t *end, const Dialect *dialect, double *out, int *reason
) noexcept nogil:
    """Read the field at `p` as a number where it is more than its digits; return its end."""
    cdef const uint8_t *after = skip_field(p, end, dialect, reason)
    out[0] = NAN
    if reason[0]:
        return after
    if p < end and p[0] == c'"':
        if not read_cell(p + 1, after - 1, dialect.point, out):
            reason[0] = NOT_A_NUMBER
    elif not read_cell(p, after, dialect.bare_point, out):
        reason[0] = NOT_A_NUMBER
    return after


cdef inline const uint8_t *read_row(
    const uint8_t *begin,
    const uint8_t *p,
    const uint8_t *end,
    const Dialect *dialect,
    const int32_t *roles,
    int32_t columns,
    char *scores,
    Py_ssize_t step,
    int32_t *spans,
    Fault *fault,
) noexcept nogil:
    """Read the row that begins at `p`; return its end. `scores` and `spans` are those of the row."""
    cdef const uint8_t *field
    cdef const uint8_t *blank
    cdef int32_t column, role
    cdef double *score
    cdef int64_t length
    cdef int in_vain = 0 if dialect.bare_point == c"." else TRIES  # in a row of long numbers, the rest is not tried
    cdef int reason
    cdef bint more = True
    fault.reason, fault.fields = 0, columns
    for column in range(columns):
        role, field, reason = roles[column], p, 0
        if role >= 0:
            score = <double *>(scores + role * step)
            length = 0
            if in_vain < TRIES and end - p > MOST_SHORT:
                length = read_short_number(p, score)
                in_vain = 0 if length else in_vain + 1
            if length and (p[length] == dialect.delimiter or is_line_end(p[length])):
                p += length
            else:
                blank = p
                while blank < end and blank[0] == c" " and dialect.delimiter != c" ":
                    blank += 1
                p = read_number(blank, end, dialect.bare_point, False, score)
                if p == NULL or (p < end and p[0] != dialect.delimiter and not is_line_end(p[0])):
                    p = read_odd_score(field, end, dialect, score, &reason)
        else:
            p = skip_field(p, end, dialect, &reason)
            if role < SKIPPED:
                spans[2 * (-2 - role)] = <int32_t>(field - begin)
                spans[2 * (-2 - role) + 1] = <int32_t>(p - begin)
        if reason > fault.reason:
            fault.reason, fault.column, fault.start, fault.end = reason, column, field - begin, p - begin
        more = skip_delimiter(&p, end, dialect)
        if not more:
            fault.fields = column + 1
            break
    while more:
        field, reason = p, 0
        p = skip_field(p, end, dialect, &reason)
        if reason > fault.reason:
            fault.reason, fault.column, fault.start, fault.end = reason, -1, field - begin, p - begin
        fault.fields += 1
        more = skip_delimiter(&p, end, dialect)
    for column in range(fault.fields, columns):  # what a row that is too short has not
        role = roles[column]
        if role >= 0:
            (<double *>(scores + role * step))[0] = NAN
        elif role < SKIPPED:
            spans[2 * (-2 - role)] = spans[2 * (-2 - role) + 1] = <int32_t>(p - begin)
    if fault.fields != columns and fault.reason < FIELD_COUNT:
        fault.reason, fault.column = FIELD_COUNT, -1
    return p


cdef int64_t read_rows(
    const uint8_t *begin,
    const uint8_t *end,
    const Dialect *dialect,
    const int32_t[::1] roles,
    double[:, :] scores,
    int32_t[:, :, ::1] spans,
    int32_t[::1] starts,
    Faults *faults,
) noexcept nogil:
    """Read every row; return how many there are."""
    cdef const uint8_t *p = begin
    cdef Py_ssize_t row = 0
    cdef const int32_t *row_roles = &roles[0] if roles.shape[0] else NULL
    cdef char *row_scores = <char *>&scores[0, 0] if scores.shape[1] else NULL
    cdef int32_t *row_spans = &spans[0, 0, 0] if spans.shape[1] else NULL
    cdef Fault fault
    memset(&fault, 0, sizeof(Fault))
    while True:
        while p < end and is_line_end(p[0]):  # a blank line is no row
            p += 1
        if p == end:
            return row
        starts[row] = <int32_t>(p - begin)
        if dialect.runs:
            while p < end and p[0] == dialect.delimiter:
                p += 1
            if p == end or is_line_end(p[0]):
                continue
        p = read_row(
            begin, p, end, dialect, row_roles, <int32_t>roles.shape[0], row_scores, scores.strides[1], row_spans, &fault
        )
        if fault.reason:
            if fault.reason == FIELD_COUNT:
                fault.start, fault.end = starts[row], p - begin
            fault.row = <int32_t>row
            add_fault(faults, fault)
        row += 1
        row_scores += scores.strides[0]
        row_spans += 2 * spans.shape[1]


def parse(
    const uint8_t[::1] data not None,
    uint8_t delimiter,
    uint8_t point,
    bint runs,
    const int32_t[::1] roles not None,
    double[:, :] scores not None,
    int32_t[:, :, ::1] spans not None,
    int32_t[::1] starts not None,
):
    """Read the rows of a block; see `softmax_cli.text.parsing`. Returns the number of rows and the faults."""
    cdef Dialect dialect
    cdef Faults faults
    cdef const uint8_t *begin = &data[0] if data.shape[0] else NULL
    cdef int64_t rows
    memset(&faults, 0, sizeof(Faults))
    dialect.delimiter, dialect.point, dialect.runs = delimiter, point, runs
    dialect.bare_point = 0 if point == delimiter else point
    dialect.pattern = 0x0101010101010101ULL * <uint64_t>delimiter
    with nogil:
        rows = read_rows(begin, begin + data.shape[0], &dialect, roles, scores, spans, starts, &faults)
    starts[rows] = <int32_t>data.shape[0]
    return rows, as_list(&faults)


def count_rows(const uint8_t[::1] data not None):
    """At most how many rows a block holds: its line ends, a carriage return before a line feed not counted, and one."""
    cdef const uint8_t *p = &data[0] if data.shape[0] else NULL
    cdef int64_t size = data.shape[0], count, at
    with nogil:
        count = count_byte(p, size, c"\n") + 1
        if size and memchr(p, c"\r", size) != NULL:
            for at in range(size):
                count += p[at] == c"\r" and (at + 1 == size or p[at + 1] != c"\n")
    return count


def row_end(const uint8_t[::1] data not None, uint8_t delimiter):
    """Where the last whole row of a block ends; see `softmax_cli.text.parsing`. With the line feeds up to there."""
    cdef const uint8_t *begin = &data[0] if data.shape[0] else NULL
    cdef const uint8_t *end = begin + data.shape[0]
    cdef const uint8_t *p = begin  # from here on, nothing is quoted as far as is known
    cdef const uint8_t *quote
    cdef const uint8_t *last = begin
    cdef int64_t lines
    with nogil:
        while True:
            quote = <const uint8_t *>memchr(p, c'"', end - p) if p < end else NULL
            if quote == NULL:
                last = max(last, after_last_line(p, end))
                break
            if quote > begin and (quote - 1)[0] != delimiter and not is_line_end((quote - 1)[0]):
                last = max(last, after_last_line(p, quote + 1))
                p = quote + 1  # within a field that is not quoted, a quote is a character
                continue
            last = max(last, after_last_line(p, quote))
            p = find_closing_quote(quote, end)
            if p == NULL:
                break
        lines = count_byte(begin, last - begin, c"\n")
    return last - begin, lines


cdef inline const uint8_t *after_last_line(const uint8_t *begin, const uint8_t *end) noexcept nogil:
    """What follows the last line feed between two places; NULL where there is none."""
    while end > begin:
        end -= 1
        if end[0] == c"\n":
            return end + 1
    return NULL
