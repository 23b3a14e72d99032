# Rows to delimited lines and to lines of JSON.

cdef enum:
    FIELDS = 0  # spans of fields of delimited lines, quoted or not
    TEXTS = 1  # spans of text as it is
    VALUES = 2  # the same, of what is no formula whatever it looks like
    READY = 3  # spans of text that is already in the format to be written
    NUMBERS = 4


cdef struct Part:
    int kind
    const uint8_t *before
    int32_t before_size
    const uint8_t *after
    int32_t after_size
    const uint8_t *missing  # what stands for a missing text, or for a number that is none or that the format has no name for
    int32_t missing_size
    const uint8_t *data
    const uint8_t *data_end
    const char *spans  # int32, shape (rows, 2)
    Py_ssize_t span_row
    Py_ssize_t span_column
    const uint8_t *keys  # what stands before each number of a row
    const int32_t *key_ends
    int32_t count
    int64_t row_size  # bytes that the numbers of a row take at most, with their keys
    const char *values  # float64, shape (rows, count)
    Py_ssize_t value_row
    Py_ssize_t value_column
    const uint8_t *closing  # what stands behind the last number of a row
    int32_t closing_size
    const uint8_t *present  # which rows have numbers; NULL: all
    const uint8_t *absent  # what stands for the numbers, keys and all, of a row that has none
    int32_t absent_size
    bint finite  # infinities are written as missing
    Style style


cdef struct Output:
    uint8_t *bytes
    int64_t size
    int64_t room
    bint json
    bint formulas  # cells that a spreadsheet would run get an apostrophe
    Dialect dialect


cdef bint grow(bytearray buffer, Output *out, int64_t more) noexcept with gil:
    """Make room for `more` bytes and half as much again as there is."""
    cdef int64_t room = out.size + more + out.size // 2
    if PyByteArray_Resize(buffer, room) < 0:
        return False
    out.bytes, out.room = <uint8_t *>PyByteArray_AS_STRING(buffer), room
    return True


cdef inline bint reserve(bytearray buffer, Output *out, int64_t more) noexcept nogil:
    return out.room - out.size >= more or grow(buffer, out, more)


cdef inline void put(Output *out, const uint8_t *text, int64_t size) noexcept nogil:
    if size == 1:
        out.bytes[out.size] = text[0]
    elif size:
        memcpy(out.bytes + out.size, text, size)
    out.size += size


cdef inline void copy(Output *out, const uint8_t *p, int64_t size, const uint8_t *limit) noexcept nogil:
    """Copy a cell from a buffer that ends at `limit`; there is room for eight bytes more, for a short one goes whole."""
    if size <= 8 and limit - p >= 8:
        store_eight(out.bytes + out.size, load_eight(p))
    else:
        memcpy(out.bytes + out.size, p, size)
    out.size += size


cdef bint is_formula(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Whether a spreadsheet would run a cell: by its first character, unless it is a number."""
    cdef double unused
    cdef const uint8_t *rest
    if p == end or not (p[0] == c"=" or p[0] == c"+" or p[0] == c"-" or p[0] == c"@" or p[0] == c"\t" or p[0] == c"\r"):
        return False
    while p < end and is_space(p[0]):
        p += 1
    while p < end and is_space((end - 1)[0]):
        end -= 1
    rest = read_number(p, end, c".", False, &unused)
    return rest == NULL or rest != end


cdef bint is_quoted(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Whether a field is a quoted one from its first to its last byte; else its quotes are characters of it."""
    return p < end and p[0] == c'"' and find_closing_quote(p, end) == end


cdef inline bint is_plain(const uint8_t *p, const uint8_t *end, const uint8_t *limit, const Output *out) noexcept nogil:
    """Whether a cell can be copied as it is: nothing in it has a meaning in the format. `limit`: end of the buffer."""
    cdef uint64_t v, found
    while p < end:
        if limit - p >= 8:
            v = load_eight(p)
            if end - p < 8:
                v |= ~<uint64_t>0 << (8 * (end - p))  # what follows the cell is no part of it
            p += 8
        else:
            v = ~<uint64_t>0 << 8 | p[0]
            p += 1
        found = zero_bytes(v ^ 0x2222222222222222ULL)
        if out.json:
            found |= zero_bytes(v ^ 0x5C5C5C5C5C5C5C5CULL) | ((v - 0x2020202020202020ULL) & ~v & 0x8080808080808080ULL)
        else:
            found |= zero_bytes(v ^ out.dialect.pattern) | zero_bytes(v ^ 0x0A0A0A0A0A0A0A0AULL)
            found |= zero_bytes(v ^ 0x0D0D0D0D0D0D0D0DULL)
        if found:
            return False
    return True


cdef void put_escaped(Output *out, uint8_t byte) noexcept nogil:
    """Write a byte that a JSON string may not hold as it is."""
    cdef const char *digits = b"0123456789abcdef"
    out.bytes[out.size] = c"\\"
    if byte >= 32:
        out.bytes[out.size + 1] = byte
    elif byte == 8:
        out.bytes[out.size + 1] = c"b"
    elif byte == 9:
        out.bytes[out.size + 1] = c"t"
    elif byte == 10:
        out.bytes[out.size + 1] = c"n"
    elif byte == 12:
        out.bytes[out.size + 1] = c"f"
    elif byte == 13:
        out.bytes[out.size + 1] = c"r"
    else:
        memcpy(out.bytes + out.size + 1, b"u00", 3)
        out.bytes[out.size + 4] = <uint8_t>digits[byte >> 4]
        out.bytes[out.size + 5] = <uint8_t>digits[byte & 15]
        out.size += 4
    out.size += 2


cdef void put_special(Output *out, const uint8_t *p, const uint8_t *end, bint quoted) noexcept nogil:
    """Write the inside of a cell that is not plain, byte by byte; `quoted`: its quotes are doubled already."""
    while p < end:
        if quoted and out.json and p[0] == c'"':
            p += 1  # of two quotes, one
        if out.json and (p[0] < 32 or p[0] == c'"' or p[0] == c"\\"):
            put_escaped(out, p[0])
        else:
            if p[0] == c'"' and not quoted:
                out.bytes[out.size] = c'"'
                out.size += 1
            out.bytes[out.size] = p[0]
            out.size += 1
        p += 1


cdef inline bint put_cell(
    bytearray buffer, Output *out, const uint8_t *p, const uint8_t *end, const uint8_t *limit, bint quoted, bint formulas
) noexcept nogil:
    """Write a cell of text, in quotes where the format wants them; False where memory is short."""
    cdef bint plain = is_plain(p, end, limit, out)
    cdef bint in_quotes = out.json or not plain
    if not reserve(buffer, out, (1 if plain else 6) * (end - p) + 11):
        return False
    if in_quotes:
        put(out, b'"', 1)
    if formulas and is_formula(p, end):
        put(out, b"'", 1)
    if plain:
        copy(out, p, end - p, limit)
    else:
        put_special(out, p, end, quoted)
    if in_quotes:
        put(out, b'"', 1)
    return True


cdef inline bint put_span(bytearray buffer, Output *out, const Part *part, Py_ssize_t row) noexcept nogil:
    """Write the cell that a span marks; False where memory is short."""
    cdef const char *span = part.spans + row * part.span_row
    cdef int32_t start = (<const int32_t *>span)[0]
    cdef const uint8_t *p = part.data + start
    cdef const uint8_t *end = part.data + (<const int32_t *>(span + part.span_column))[0]
    if start == MISSING_SPAN:
        put(out, part.missing, part.missing_size)
    elif part.kind == READY:
        if not reserve(buffer, out, end - p + 8):
            return False
        copy(out, p, end - p, part.data_end)
    elif part.kind == FIELDS and p < end and p[0] == c'"' and is_quoted(p, end):
        return put_cell(buffer, out, p + 1, end - 1, part.data_end, True, out.formulas)
    else:
        return put_cell(buffer, out, p, end, part.data_end, False, out.formulas and part.kind != VALUES)
    return True


cdef int64_t text_size(const Part *part, Py_ssize_t rows) noexcept nogil:
    """Bytes of all cells of a column of text."""
    cdef const char *span = part.spans
    cdef int64_t size = 2 * rows
    cdef Py_ssize_t row
    for row in range(rows):
        size += (<const int32_t *>(span + part.span_column))[0] - (<const int32_t *>span)[0]
        span += part.span_row
    return size


cdef bint put_numbers(bytearray buffer, Output *out, const Part *part, Py_ssize_t row) noexcept nogil:
    """Write the numbers of a row, each with its key; False where one is no probability or memory is short."""
    cdef const char *value = part.values + row * part.value_row
    cdef const uint8_t *key = part.keys
    cdef const int32_t *key_ends = part.key_ends
    cdef Py_ssize_t step = part.value_column
    cdef int32_t count = part.count, i, size
    cdef int length
    cdef uint8_t *p
    cdef double x
    cdef Style style = part.style
    if part.present != NULL and not part.present[row]:
        if not reserve(buffer, out, part.absent_size):
            return False
        put(out, part.absent, part.absent_size)
        return True
    if not reserve(buffer, out, part.row_size):
        return False
    p = out.bytes + out.size  # kept in a register: a byte that is written could be any other variable
    for i in range(count):
        size = key_ends[i] - <int32_t>(key - part.keys)
        if size == 1:
            p[0] = key[0]
        else:
            memcpy(p, key, size)
        p += size
        key += size
        x = (<const double *>value)[0]
        value += step
        if style.kind == PROBABILITY and 0 <= x < 10:
            put_probability(p, x)
            p += 14
        elif isnan(x) or (part.finite and isinf(x)):
            memcpy(p, part.missing, part.missing_size)
            p += part.missing_size
        else:
            length = put_number(p, x, &style)
            if length < 0:
                return False
            p += length
    out.size = p - out.bytes
    put(out, part.closing, part.closing_size)
    return True


cdef class Lines:
    """Rows of one table as text; see `softmax_cli.text.formatting`. Parts are added from left to right, then `write` does it."""

    cdef Part *parts
    cdef int count
    cdef list held
    cdef Output out
    cdef int64_t expected

    def __cinit__(self, bint json, uint8_t delimiter, bint formulas):
        self.held = []
        memset(&self.out, 0, sizeof(Output))
        self.out.json, self.out.formulas = json, formulas
        self.out.dialect.pattern = 0x0101010101010101ULL * <uint64_t>delimiter

    def __dealloc__(self):
        free(self.parts)

    cdef Part *add(self, bytes before, bytes after, bytes missing) except NULL:
        cdef Part *parts = <Part *>realloc(self.parts, (self.count + 1) * sizeof(Part))
        cdef Part *part
        if parts == NULL:
            raise MemoryError
        self.parts, part = parts, &parts[self.count]
        memset(part, 0, sizeof(Part))
        self.held += [before, after, missing]
        part.before, part.before_size = before, <int32_t>len(before)
        part.after, part.after_size = after, <int32_t>len(after)
        part.missing, part.missing_size = missing, <int32_t>len(missing)
        self.count += 1
        self.expected += len(before) + len(after)
        return part

    def add_text(
        self,
        bytes before not None,
        const uint8_t[::1] data not None,
        const int32_t[:, :] spans not None,
        int kind,
        bytes after not None,
        bytes missing not None,
    ):
        """Add a column of text: what the spans, shape (rows, 2), mark in `data`; -1: missing."""
        cdef Py_ssize_t rows = spans.shape[0]
        cdef Part *part = self.add(before, after, missing)
        self.held += [data, spans]
        part.kind = kind
        if data.shape[0]:
            part.data, part.data_end = &data[0], &data[0] + data.shape[0]
        if rows:
            part.spans = <const char *>&spans[0, 0]
            part.span_row, part.span_column = spans.strides[0], spans.strides[1]

    def add_numbers(
        self,
        bytes before not None,
        const uint8_t[::1] keys not None,
        const int32_t[::1] key_ends not None,
        const double[:, :] values not None,
        int kind,
        int digits,
        bytes missing not None,
        bint finite,
        bytes closing not None,
        const uint8_t[::1] present,
        bytes absent not None,
        bytes after not None,
    ):
        """Add columns of numbers, shape (rows, columns), each with a key before it."""
        cdef Part *part = self.add(before, after, missing)
        self.held += [keys, key_ends, values, closing, present, absent]
        part.kind, part.count = NUMBERS, <int32_t>key_ends.shape[0]
        part.keys = &keys[0] if keys.shape[0] else NULL
        part.key_ends = &key_ends[0] if key_ends.shape[0] else NULL
        part.style.kind, part.style.digits, part.finite = kind, digits, finite
        part.closing, part.closing_size = closing, <int32_t>len(closing)
        part.absent, part.absent_size = absent, <int32_t>len(absent)
        part.row_size = keys.shape[0] + part.closing_size + part.count * max(most_bytes(&part.style), part.missing_size) + 1
        self.expected += part.row_size
        if present is not None and present.shape[0]:
            part.present = &present[0]
        if values.shape[0] and values.shape[1]:
            part.values = <const char *>&values[0, 0]
            part.value_row, part.value_column = values.strides[0], values.strides[1]

    def write(self, Py_ssize_t rows, bytes end not None, bytes empty not None, int32_t[::1] ends):
        """Return the lines, each with `end` behind it; a line that would be empty is `empty`.

        `ends`, shape (rows,), if it is not None, is given where each line ends.

        Raises
        ------
        ValueError
            A number that is to be a probability is none.
        """
        cdef const uint8_t *line_end = end
        cdef const uint8_t *line_empty = empty
        cdef int64_t end_size = len(end), empty_size = len(empty), line, expected
        cdef Output *out = &self.out
        cdef Part *part
        cdef Py_ssize_t row = 0
        cdef int i = 0
        cdef bint done = True
        cdef bytearray buffer
        expected = rows * (self.expected + end_size) + SPARE_ROOM
        with nogil:
            for i in range(self.count):
                if self.parts[i].kind != NUMBERS:
                    expected += text_size(&self.parts[i], rows)
        buffer = PyByteArray_FromStringAndSize(NULL, expected)
        out.bytes, out.size, out.room = <uint8_t *>PyByteArray_AS_STRING(buffer), 0, expected
        with nogil:
            for row in range(rows):
                line = out.size
                for i in range(self.count):
                    part = &self.parts[i]
                    done = reserve(buffer, out, part.before_size + part.missing_size)
                    if not done:
                        break
                    put(out, part.before, part.before_size)
                    if part.kind == NUMBERS:
                        done = put_numbers(buffer, out, part, row)
                    else:
                        done = put_span(buffer, out, part, row)
                    if not (done and reserve(buffer, out, part.after_size)):
                        done = False
                        break
                    put(out, part.after, part.after_size)
                if not (done and reserve(buffer, out, empty_size + end_size)):
                    done = False
                    break
                if out.size == line:
                    put(out, line_empty, empty_size)
                put(out, line_end, end_size)
                if ends is not None:
                    ends[row] = <int32_t>out.size
        if not done:
            self.refuse(&self.parts[i], row)
        PyByteArray_Resize(buffer, out.size)
        return buffer

    cdef int refuse(self, const Part *part, Py_ssize_t row) except -1:
        """Say why a row could not be written."""
        cdef int32_t i
        cdef double x
        if part.kind == NUMBERS:
            for i in range(part.count):
                x = (<const double *>(part.values + row * part.value_row + i * part.value_column))[0]
                if not (isnan(x) or 0 <= x < 10):
                    raise ValueError(f"{x!r} is not a probability")
        raise MemoryError("no memory for the lines of a block")


def join_fields(const uint8_t[::1] data not None, const int32_t[:, :] spans not None, bint fields):
    """The text of cells one after the other, quotes of `fields` undone, and where each ends; see `softmax_cli.text.parsing`."""
    cdef Py_ssize_t rows = spans.shape[0], row
    cdef const uint8_t *begin = &data[0] if data.shape[0] else NULL
    cdef const uint8_t *p
    cdef const uint8_t *end
    cdef int64_t size = 0
    cdef uint8_t *out
    cdef bytearray text, offsets = PyByteArray_FromStringAndSize(NULL, 4 * (rows + 1))
    cdef int32_t *ends = <int32_t *>PyByteArray_AS_STRING(offsets)
    for row in range(rows):
        size += spans[row, 1] - spans[row, 0]
    text = PyByteArray_FromStringAndSize(NULL, size)
    out, size, ends[0] = <uint8_t *>PyByteArray_AS_STRING(text), 0, 0
    with nogil:
        for row in range(rows):
            p, end = begin + spans[row, 0], begin + spans[row, 1]
            if fields and is_quoted(p, end):
                p += 1
                end -= 1
                while p < end:
                    p += p[0] == c'"'  # of two quotes, one
                    out[size] = p[0]
                    size += 1
                    p += 1
            elif p < end:
                memcpy(out + size, p, end - p)
                size += end - p
            ends[row + 1] = <int32_t>size
    PyByteArray_Resize(text, size)
    return text, offsets


def format_numbers(const double[:] values not None, int kind, int digits):
    """The texts of numbers that are not ``nan``; see `softmax_cli.text.formatting`."""
    cdef uint8_t[LONGEST_NUMBER] text
    cdef Style style
    cdef Py_ssize_t i
    cdef int length
    cdef list out = []
    style.kind, style.digits = kind, digits
    for i in range(values.shape[0]):
        length = 0 if isnan(values[i]) else put_number(text, values[i], &style)
        if length < 0:
            raise ValueError(f"{values[i]!r} is not a probability")
        out.append((<const char *>text)[:length].decode())
    return out
