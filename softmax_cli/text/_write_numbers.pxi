# Numbers to text: the digits that exact arithmetic gives.

cdef enum:
    PROBABILITY = 0  # nine digits in 14 bytes
    SCIENTIFIC = 1  # 17 digits in 22 bytes, of what is a probability
    GENERAL = 2  # any count of digits of any number
    FIXED = 3  # any count of decimals of any number
    FIXED_PROBABILITY = 4
    LONGEST_NUMBER = 48
    NO_PROBABILITY = -1
    SPARE_ROOM = 256


cdef struct Style:
    int kind
    int digits


cdef uint32_t[10000] FOUR_DIGITS  # the digits of 0000 to 9999, four bytes each


cdef void fill_digits():
    cdef uint32_t i
    for i in range(10000):
        FOUR_DIGITS[i] = 0x30303030 + i // 1000 + (i // 100 % 10 << 8) + (i // 10 % 10 << 16) + (i % 10 << 24)


fill_digits()


cdef inline void put_four(uint8_t *out, uint32_t value) noexcept nogil:
    """Write a number below 10**4 in four digits."""
    store_four(out, FOUR_DIGITS[value])


cdef inline void put_eight(uint8_t *out, uint32_t value) noexcept nogil:
    """Write a number below 10**8 in eight digits."""
    cdef uint32_t high = value // 10000
    store_four(out, FOUR_DIGITS[high])
    store_four(out + 4, FOUR_DIGITS[value - high * 10000])


cdef inline void put_seventeen(uint8_t *out, uint64_t value) noexcept nogil:
    """Write a number below 10**17 in 17 digits."""
    cdef uint64_t high = value // 100000000
    out[0] = <uint8_t>(c"0" + high // 100000000)
    put_eight(out + 1, high % 100000000)
    put_eight(out + 9, value - high * 100000000)


cdef int64_t slowly_rounded(double x, int digits, int *exponent) noexcept with gil:
    """The leading digits of a positive number and its exponent of ten, by Python's own exact formatting."""
    text = b"%.*e" % (digits - 1, x)
    mantissa, power = text.split(b"e")
    exponent[0] = int(power)
    return int(mantissa.replace(b".", b""))


cdef struct Binary:
    uint64_t mantissa  # x = mantissa * 2**(exponent - 64), and the highest bit of the mantissa is set
    int exponent
    int ten  # floor(log10(x))


cdef inline Binary taken_apart(double x) noexcept nogil:
    """The parts of a positive finite number."""
    cdef uint64_t bits = bits_of(x)
    cdef Binary parts
    cdef int zeros, power
    parts.exponent = <int>(bits >> 52) - 1022
    parts.mantissa = (bits << 11) | <uint64_t>1 << 63
    if parts.exponent == -1022:  # subnormal
        zeros = leading_zeros(bits)
        parts.exponent = -1010 - zeros
        parts.mantissa = bits << zeros
    parts.ten = ((parts.exponent - 1) * 78913) >> 18  # of the least number with this exponent
    power = 2 * (parts.ten + 1 - LEAST_POWER)
    parts.ten += (((217706 * (parts.ten + 1)) >> 16) == parts.exponent - 1) & (
        parts.mantissa >= POWERS[power] + (POWERS[power + 1] > 0)
    )
    return parts


cdef inline int64_t scaled(Binary *parts, int power) noexcept nogil:
    """x * 10**power, rounded half to even; -1 where 128 bits of the power leave that open."""
    return scale(
        parts.mantissa,
        POWERS[2 * (power - LEAST_POWER)],
        POWERS[2 * (power - LEAST_POWER) + 1],
        63 - parts.exponent - ((217706 * power) >> 16),
        0 <= power <= EXACT_POWER,
    )


cdef inline int64_t significant(double x, int digits, int *exponent) noexcept nogil:
    """Round a positive finite number to `digits` (1 to 17) significant digits, half to even, from its exact value.

    x = result * 10**(exponent - digits + 1). The power of ten by which x is scaled is known to 128 bits, and exactly
    where a tie is possible but for numbers above 10**digits; what stays open is left to Python.
    """
    cdef Binary parts = taken_apart(x)
    cdef int64_t result = scaled(&parts, digits - 1 - parts.ten)
    if result < 0:
        return slowly_rounded(x, digits, exponent)
    exponent[0] = parts.ten
    if <uint64_t>result == WHOLE_TENS[digits]:  # rounded up to the next power of ten
        exponent[0] += 1
        return WHOLE_TENS[digits - 1]
    return result


cdef inline void put_probability(uint8_t *out, double x) noexcept nogil:
    """Nine digits in 14 bytes: 0.274029123456 from 2**-10 up, 4.53999298e-05 below, 372007598e-110 from 1e-100 down.

    The two usual shapes differ in their last four bytes only, digits or an exponent, and are made without a branch,
    which would be mispredicted for every other value.
    """
    cdef Binary parts
    cdef int64_t value
    cdef uint32_t nine, last, first
    cdef int exponent
    cdef bint is_fixed = x >= 0.0009765625
    if x == 0:
        memcpy(out, b"0.000000000000", 14)
        return
    parts = taken_apart(x)
    value = scaled(&parts, 12 if is_fixed else 8 - parts.ten)
    exponent = parts.ten
    if value < 0 or (value == 1000000000 and not is_fixed) or exponent < -99:
        value = significant(x, 9, &exponent)
        if exponent < -99:
            first = <uint32_t>value // 100000000
            out[0] = <uint8_t>(c"0" + first)
            put_eight(out + 1, <uint32_t>value - first * 100000000)
            put_four(out + 10, 8 - exponent)
            out[9], out[10] = c"e", c"-"
            return
    nine = <uint32_t>(value // 10000) if is_fixed else <uint32_t>value
    last = <uint32_t>(value - nine * <int64_t>10000) if is_fixed else -exponent
    first = nine // 100000000
    out[0] = <uint8_t>(c"0" + first)
    out[1] = c"."
    put_eight(out + 2, nine - first * 100000000)
    last = FOUR_DIGITS[last]
    store_four(out + 10, last if is_fixed else (last & 0xFFFF0000U) | 0x2D65)  # "e-" and two digits


cdef inline int put_scientific(uint8_t *out, double x) noexcept nogil:
    """17 digits in 22 bytes: 2.7402912345678901e-01; an exponent of three digits takes the place of the point."""
    cdef int exponent = 0
    cdef uint64_t value = 0 if x == 0 else significant(x, 17, &exponent)
    if exponent > -100:
        put_seventeen(out + 1, value)
        out[0], out[1] = out[1], c"."
        put_four(out + 18, -exponent)
        out[18], out[19] = c"e", c"+" if exponent == 0 else c"-"
        return 22
    put_seventeen(out, value)
    put_four(out + 18, 16 - exponent)
    out[17], out[18] = c"e", c"-"
    return 22


cdef int put_general(uint8_t *out, double x, int digits) noexcept nogil:
    """`digits` of any finite number: written out from 1e-5 to 1e9 as far as the digits reach, else with an exponent."""
    cdef uint8_t[17] text
    cdef const uint8_t *first = text + 17 - digits
    cdef uint8_t *p = out
    cdef int exponent = 0
    put_seventeen(text, 0 if x == 0 else significant(x if x > 0 else -x, digits, &exponent))
    if signbit(x):
        p[0] = c"-"
        p += 1
    if exponent < 0 and exponent >= -5:
        memcpy(p, b"0.0000", 1 - exponent)
        memcpy(p + 1 - exponent, first, digits)
        return p + 1 - exponent + digits - out
    if 0 <= exponent < digits and exponent <= 8:
        memcpy(p, first, exponent + 1)
        p += exponent + 1
        if exponent + 1 < digits:
            p[0] = c"."
            memcpy(p + 1, first + exponent + 1, digits - exponent - 1)
            p += digits - exponent
        return p - out
    p[0] = first[0]
    p += 1
    if digits > 1:
        p[0] = c"."
        memcpy(p + 1, first + 1, digits - 1)
        p += digits
    p[0], p[1] = c"e", c"-" if exponent < 0 else c"+"
    put_four(text, abs(exponent))
    digits = 3 if abs(exponent) > 99 else 2
    memcpy(p + 2, text + 4 - digits, digits)
    return p + 2 + digits - out


cdef int put_fixed(uint8_t *out, double x, int decimals) noexcept nogil:
    """`decimals` of any finite number, half to even from its exact value; from 1e17 on the shortest text instead."""
    cdef uint64_t bits = bits_of(x)
    cdef uint64_t mantissa = bits & 0x000FFFFFFFFFFFFFULL, whole = 0, part
    cdef int shift = 1075 - max(1, <int>((bits >> 52) & 0x7FF)), width = 1
    cdef uint8_t[17] text
    cdef uint8_t *p = out
    if not -1e17 < x < 1e17:
        return put_shortest(out, x)
    if (bits >> 52) & 0x7FF:
        mantissa |= <uint64_t>1 << 52
    if shift <= 0:
        whole, part = mantissa << -shift, 0
    elif decimals == 0:
        whole, part = scale_exactly(mantissa, 1, shift), 0
    else:
        whole = mantissa >> shift if shift <= 52 else 0
        part = scale_exactly(mantissa - (whole << shift if whole else 0), WHOLE_TENS[decimals], shift)
    if decimals and part == WHOLE_TENS[decimals]:
        whole, part = whole + 1, 0
    if signbit(x):
        p[0] = c"-"
        p += 1
    put_seventeen(text, whole)
    while width < 17 and whole >= WHOLE_TENS[width]:
        width += 1
    memcpy(p, text + 17 - width, width)
    p += width
    if decimals:
        p[0] = c"."
        put_seventeen(text, part)
        memcpy(p + 1, text + 17 - decimals, decimals)
        p += 1 + decimals
    return p - out


cdef int put_shortest(uint8_t *out, double x) noexcept with gil:
    """The shortest text that reads back the same, as ``repr`` gives it."""
    text = repr(x).encode()
    memcpy(out, <const char *>text, len(text))
    return len(text)


cdef inline int put_number(uint8_t *out, double x, const Style *style) noexcept nogil:
    """Write a number that is not ``nan``; return the bytes it takes, `NO_PROBABILITY` where it should be one."""
    if style.kind != GENERAL and style.kind != FIXED and not 0 <= x < 10:
        return NO_PROBABILITY
    if style.kind == PROBABILITY:
        put_probability(out, x)
        return 14
    if style.kind == SCIENTIFIC:
        return put_scientific(out, x)
    if isinf(x):
        memcpy(out, b"-inf", 4)
        if x > 0:
            memcpy(out, b"inf", 3)
        return 4 if x < 0 else 3
    if style.kind == GENERAL:
        return put_general(out, x, style.digits)
    return put_fixed(out, -x if style.kind == FIXED_PROBABILITY and signbit(x) else x, style.digits)


cdef int most_bytes(const Style *style) noexcept nogil:
    """Bytes that a number takes at most."""
    if style.kind == PROBABILITY:
        return 14
    if style.kind == SCIENTIFIC:
        return 22
    if style.kind == GENERAL:
        return style.digits + 7
    return 25 + style.digits
