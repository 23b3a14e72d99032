# Text to numbers: every decimal to the float64 nearest to it.

cdef enum:
    LEAST_POWER = -342
    MOST_READ = 308
    MOST_POWER = 340
    EXACT_POWER = 55
    MOST_SHORT = 16

cdef uint64_t[2 * (MOST_POWER - LEAST_POWER + 1)] POWERS
cdef double[23] TENS


def powers_of_five():
    """Give the leading 128 bits of 5**q for q = -342 .. 340, as Lemire (2021) cuts them off; exact for q = 0 .. 55."""
    for q in range(LEAST_POWER, MOST_POWER + 1):
        if q >= 0:
            power = 5**q << 127
        else:
            divisor = 5**-q
            bits = divisor.bit_length()
            power = (1 << (bits + 127 if q >= -27 else 2 * bits + 128)) // divisor + 1
        yield power >> (power.bit_length() - 128)


cdef void fill_tables():
    cdef int i
    for i, power in enumerate(powers_of_five()):
        POWERS[2 * i] = power >> 64
        POWERS[2 * i + 1] = power & 0xFFFFFFFFFFFFFFFF
    TENS[0] = 1
    for i in range(1, 23):
        TENS[i] = 10 * TENS[i - 1]


fill_tables()


cdef inline uint64_t eight_digits(uint64_t v) noexcept nogil:
    """The number that eight digits spell, each a byte of value 0 to 9, the first one lowest."""
    v = v * 10 + (v >> 8)
    return (((v & 0x000000FF000000FFULL) * 0x000F424000000064ULL) + (((v >> 16) & 0x000000FF000000FFULL) * 0x0000271000000001ULL)) >> 32


cdef double nearest(uint64_t w, int64_t q, bint negative) noexcept nogil:
    """The float64 nearest to w * 10**q, ties to even.

    Lemire (2021), "Number parsing at a gigabyte per second", Software: Practice and Experience 51(8); that 128 bits of
    the power always suffice: Mushtak and Lemire (2023), "Fast number parsing without fallback", same journal, 53(6).
    """
    cdef uint64_t sign = <uint64_t>negative << 63
    cdef uint64_t high, low, more, unused, mantissa
    cdef const uint64_t *power
    cdef int zeros, upper, shift
    cdef int64_t exponent
    if w == 0 or q < LEAST_POWER:
        return double_of(sign)
    if q > MOST_READ:
        return double_of(sign | 0x7FF0000000000000ULL)
    zeros = leading_zeros(w)
    w <<= zeros
    power = POWERS + 2 * (q - LEAST_POWER)
    high = multiply(w, power[0], &low)
    if (high & 0x1FF) == 0x1FF:  # the bits that would be cut off are all set: a carry from below may matter
        more = multiply(w, power[1], &unused)
        low += more
        high += low < more
    upper = high >> 63
    shift = upper + 9
    mantissa = high >> shift
    exponent = ((217706 * q) >> 16) + 63 + upper - zeros + 1023
    if exponent <= 0:  # subnormal
        if exponent <= -63:
            return double_of(sign)
        mantissa >>= 1 - exponent
        mantissa += mantissa & 1
        mantissa >>= 1
        return double_of(sign | mantissa)  # 2**52 carries into the exponent, as it should
    if low <= 1 and -4 <= q <= 23 and (mantissa & 3) == 1 and mantissa << shift == high:
        mantissa &= ~<uint64_t>1  # exactly between two floats: to the even one
    mantissa += mantissa & 1
    mantissa >>= 1
    if mantissa >= <uint64_t>2 << 52:
        mantissa = <uint64_t>1 << 52
        exponent += 1
    if exponent >= 0x7FF:
        return double_of(sign | 0x7FF0000000000000ULL)
    return double_of(sign | (mantissa & ~(<uint64_t>1 << 52)) | <uint64_t>exponent << 52)


cdef double slowly_read(const uint8_t *start, const uint8_t *end, uint8_t point) noexcept with gil:
    """A number of very many digits, by Python's own parser; it is known to be one."""
    return float(start[: end - start].replace(bytes([point]), b"."))


cdef double long_number(
    const uint8_t *start, const uint8_t *end, uint8_t point, int64_t exponent, bint negative
) noexcept nogil:
    """A number that is spelled with more than 19 digits, whose last digit is worth 10**exponent."""
    cdef const uint8_t *p = start
    cdef uint64_t w = 0
    cdef int digits = 0
    cdef double low, high
    while p < end and (p[0] == c"0" or p[0] == point or p[0] == c"-" or p[0] == c"+"):
        p += 1
    while p < end and (p[0] == point or <uint8_t>(p[0] - c"0") < 10):
        if p[0] == point:
            pass
        elif digits < 19:
            w = w * 10 + (p[0] - c"0")
            digits += 1
        else:
            exponent += 1
            digits += 1
        p += 1
    low = nearest(w, exponent, negative)
    if digits <= 19:
        return low
    high = nearest(w + 1, exponent, negative)  # what was cut off lies between 0 and 1 of the last digit kept
    return low if low == high else slowly_read(start, end, point)


cdef inline const uint8_t *read_number(
    const uint8_t *p, const uint8_t *end, uint8_t point, bint json, double *out
) noexcept nogil:
    """Read a number of digits at `p`; return what follows it, NULL where there is none. `json`: only as JSON spells it."""
    cdef const uint8_t *start = p
    cdef const uint8_t *first
    cdef const uint8_t *mark
    cdef uint64_t w = 0, v, strange
    cdef int64_t digits, exponent = 0, written = 0
    cdef int n
    cdef bint negative = False, below = False
    cdef double value
    if p == end:
        return NULL
    negative = p[0] == c"-"
    p += negative | (p[0] == c"+" and not json)  # no branch, which would be mispredicted for every other number
    first = p
    while p < end and <uint8_t>(p[0] - c"0") < 10:
        w = w * 10 + (p[0] - c"0")
        p += 1
    digits = p - first
    if json and (digits == 0 or (first[0] == c"0" and digits > 1)):
        return NULL
    if p < end and p[0] == point:
        p += 1
        mark = p
        while end - p >= 8:
            v = load_eight(p) ^ 0x3030303030303030ULL
            strange = ((v + 0x7676767676767676ULL) | v) & 0x8080808080808080ULL
            if strange == 0:
                w = w * 100000000 + eight_digits(v)
                p += 8
                continue
            n = trailing_zeros(strange) >> 3
            if n:
                w = w * WHOLE_TENS[n] + eight_digits(v << (64 - 8 * n))
                p += n
            break
        while p < end and <uint8_t>(p[0] - c"0") < 10:
            w = w * 10 + (p[0] - c"0")
            p += 1
        exponent = mark - p
        digits -= exponent
        if json and exponent == 0:
            return NULL
    if digits == 0:
        return NULL
    if p < end and (p[0] | 32) == c"e":
        mark = p + 1
        if mark < end and (mark[0] == c"-" or mark[0] == c"+"):
            below = mark[0] == c"-"
            mark += 1
        if mark < end and <uint8_t>(mark[0] - c"0") < 10:
            while mark < end and <uint8_t>(mark[0] - c"0") < 10:
                if written < 100000000000LL:  # far more than any number of digits can make up for
                    written = written * 10 + (mark[0] - c"0")
                mark += 1
            exponent += -written if below else written
            p = mark
    if digits > 19:
        out[0] = long_number(start, p, point, exponent, negative)
    elif w <= <uint64_t>1 << 53 and -22 <= exponent <= 22:
        # Both are floats without rounding, so the product is rounded once: Clinger (1990), "How to read floating point
        # numbers accurately", PLDI.
        value = <double>w
        value = value / TENS[-exponent] if exponent < 0 else value * TENS[exponent]
        out[0] = double_of(bits_of(value) | <uint64_t>negative << 63)
    else:
        out[0] = nearest(w, exponent, negative)
    return p


cdef inline int64_t read_short_number(const uint8_t *p, double *out) noexcept nogil:
    """Read a number such as -12.3456789 at `p`, with 1 to 7 digits before the point and 1 to 8 behind it.

    Returns
    -------
    int
        How long it is; 0 where something else stands there, which `read_number` is for. What ends it is not looked at.

    The end is found first and in one go, so that the processor begins with the next number while it works on this one.
    `MOST_SHORT` bytes from `p` on are read.
    """
    cdef uint64_t first = load_eight(p), second = load_eight(p + 8), odd, whole, part
    cdef int64_t length, point, before, behind
    # The high bit of each byte that is none of -./0123456789; above the first of them, bits may be wrong.
    odd = ((first + 0x4646464646464646ULL) | ~(first + 0x5353535353535353ULL) | first) & 0x8080808080808080ULL
    second = ((second + 0x4646464646464646ULL) | ~(second + 0x5353535353535353ULL) | second) & 0x8080808080808080ULL
    length = (trailing_zeros(odd) >> 3) if odd else 8 + (trailing_zeros(second | <uint64_t>1 << 63) >> 3)
    odd = zero_bytes(first ^ 0x2E2E2E2E2E2E2E2EULL)
    if odd == 0:
        return 0
    point = trailing_zeros(odd) >> 3
    before = point - (p[0] == c"-")
    behind = length - point - 1
    if before < 1 or behind < 1 or behind > 8:
        return 0
    whole = ((first >> 8 * (p[0] == c"-")) ^ 0x3030303030303030ULL) << (64 - 8 * before)
    part = (load_eight(p + point + 1) ^ 0x3030303030303030ULL) << (64 - 8 * behind)
    if ((whole + 0x7676767676767676ULL) | whole | (part + 0x7676767676767676ULL) | part) & 0x8080808080808080ULL:
        return 0
    # Below 2**53, and so is the power: Clinger (1990), as below.
    out[0] = <double>(eight_digits(whole) * WHOLE_TENS[behind] + eight_digits(part)) / TENS[behind]
    out[0] = double_of(bits_of(out[0]) | <uint64_t>(p[0] == c"-") << 63)
    return length


cdef inline bint is_space(uint8_t byte) noexcept nogil:
    """White space as Python's ``float`` skips it."""
    return byte == c" " or 9 <= byte <= 13


cdef bint spells(const uint8_t *p, const uint8_t *end, const char *word) noexcept nogil:
    """Whether the text is `word`, given in lower case, in any case."""
    while p < end and word[0] != 0:
        if (p[0] | 32 if c"A" <= p[0] <= c"Z" else p[0]) != <uint8_t>word[0]:
            return False
        p += 1
        word += 1
    return p == end and word[0] == 0


cdef bint read_word(const uint8_t *p, const uint8_t *end, double *out) noexcept nogil:
    """Read an infinity, ``nan``, or one of the spellings of a missing value, which are ``nan`` too."""
    cdef const uint8_t *word = p
    cdef bint negative = p < end and p[0] == c"-"
    cdef bint signed = negative or (p < end and p[0] == c"+")
    if signed:
        word += 1
    if spells(word, end, b"inf") or spells(word, end, b"infinity"):
        out[0] = -INFINITY if negative else INFINITY
        return True
    out[0] = NAN
    if spells(word, end, b"nan"):
        return True
    return not signed and (
        p == end
        or spells(p, end, b"na")
        or spells(p, end, b"n/a")
        or spells(p, end, b"#n/a")
        or spells(p, end, b"<na>")
        or spells(p, end, b"null")
        or spells(p, end, b"none")
    )


cdef bint read_cell(const uint8_t *p, const uint8_t *end, uint8_t point, double *out) noexcept nogil:
    """Read a whole cell as a number, white space around it or not; ``nan`` and False where it is none."""
    cdef const uint8_t *rest
    while p < end and is_space(p[0]):
        p += 1
    while p < end and is_space((end - 1)[0]):
        end -= 1
    rest = read_number(p, end, point, False, out)
    if rest == end and rest != NULL:
        return True
    return read_word(p, end, out)
