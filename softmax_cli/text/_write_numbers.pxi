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


cdef uint32_t[1000] THREE_DIGITS  # the digits of 000 to 999 in the lowest bytes; 4 kB, so they stay in the first cache


cdef void fill_digits():
    cdef uint32_t i
    for i in range(1000):
        THREE_DIGITS[i] = 0x303030 + i // 100 + (i // 10 % 10 << 8) + (i % 10 << 16)


fill_digits()


cdef inline void put_three(uint8_t *out, uint32_t value) noexcept nogil:
    """Write a number below 1000 in three digits. Like all that builds on it, it writes one more byte, to be overwritten."""
    store_four(out, THREE_DIGITS[value])


cdef inline void put_six(uint8_t *out, uint32_t value) noexcept nogil:
    """Write a number below 10**6 in six digits."""
    cdef uint32_t high = value // 1000
    put_three(out, high)
    put_three(out + 3, value - high * 1000)


cdef inline void put_seventeen(uint8_t *out, uint64_t value) noexcept nogil:
    """Write a number below 10**17 in 17 digits."""
    cdef uint64_t high = value // 1000000000
    cdef uint32_t low = <uint32_t>(value - high * 1000000000), first = <uint32_t>high // 1000000, middle = low // 1000
    store_four(out, THREE_DIGITS[first] >> 8)
    put_six(out + 2, <uint32_t>high - first * 1000000)
    put_six(out + 8, middle)
    put_three(out + 14, low - middle * 1000)


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


cdef enum:
    FIRST_SHAPE = 695  # biased exponent of 2**-328: all numbers from there on are above 1e-99
    FIRST_FIXED = 1013  # of 2**-10
    SHAPES = 332  # up to 2**3


cdef struct Shape:  # of the probabilities with one binary exponent; of each pair, the second is for the larger ones
    uint64_t larger  # the mantissa from which on log10 is one more
    uint64_t[2] factor  # leading bits of the power of ten that makes the digits whole
    int[2] shift  # by how many bits the upper half of the product is then too long
    uint32_t[2] room  # 10000 where an exponent takes the place of the last four digits, else 1
    uint32_t[2] before_last  # what turns the last digits, 000 and 000, into those of "00e-07" by exclusive or, else 0
    uint32_t[2] last


cdef Shape[SHAPES] PROBABILITY_SHAPES


cdef void fill_shapes():
    cdef Shape *shape
    cdef int i, side, ten, power, binary
    cdef bint is_fixed
    for i in range(SHAPES):
        shape = &PROBABILITY_SHAPES[i]
        binary = i + FIRST_SHAPE - 1023
        is_fixed = i + FIRST_SHAPE >= FIRST_FIXED
        ten = (binary * 78913) >> 18  # floor(log10(2**binary))
        power = 2 * (ten + 1 - LEAST_POWER)
        shape.larger = 0xFFFFFFFFFFFFFFFFULL
        if (217706 * (ten + 1)) >> 16 == binary:
            shape.larger = POWERS[power] + (POWERS[power + 1] > 0)
        for side in range(2):
            power = 12 if is_fixed else 8 - ten - side
            shape.factor[side] = POWERS[2 * (power - LEAST_POWER)]
            shape.shift[side] = 62 - binary - ((217706 * power) >> 16)
            shape.room[side] = 1 if is_fixed else 10000
            if not is_fixed:
                shape.before_last[side] = (c"0" ^ c"e") << 16
                shape.last[side] = THREE_DIGITS[0] ^ ((THREE_DIGITS[-ten - side] & 0xFFFF00U) | c"-")


fill_shapes()


cdef inline void put_probability(uint8_t *out, double x) noexcept nogil:
    """Nine digits in 14 bytes: 0.274029123456 from 2**-10 up, 4.53999298e-05 below, 372007598e-110 from 1e-100 down.

    The two usual shapes are made without a branch, which would be mispredicted for every other value: of thirteen
    digits, an exponent takes the place of the last four, which are zero.
    """
    cdef uint64_t bits = bits_of(x)
    cdef uint64_t mantissa = (bits << 11) | <uint64_t>1 << 63
    cdef uint64_t index = (bits >> 52) - FIRST_SHAPE
    cdef uint64_t upper, unused, rest, middle, digits
    cdef uint32_t high, low, first, part
    cdef const Shape *shape
    cdef int side, shift
    if index >= SHAPES:
        put_odd_probability(out, x)
        return
    shape = &PROBABILITY_SHAPES[index]
    side = mantissa >= shape.larger
    shift = shape.shift[side]
    upper = multiply(mantissa, shape.factor[side], &unused)
    middle = <uint64_t>1 << (shift - 1)
    rest = upper & (2 * middle - 1)
    digits = ((upper >> shift) + (rest > middle)) * shape.room[side]
    # The bits that are left out of the power add less than 1 to `upper`.
    if rest == middle or rest + 1 == middle or digits >= 10000000000000ULL:
        put_odd_probability(out, x)
        return
    high = <uint32_t>(digits // 1000000)
    low = <uint32_t>digits - high * 1000000
    first = high // 1000000
    store_four(out, c"." << 8 | (c"0" + first))
    put_six(out + 2, high - first * 1000000)
    part = low // 1000
    store_four(out + 8, THREE_DIGITS[part] ^ shape.before_last[side])
    store_four(out + 11, THREE_DIGITS[low - part * 1000] ^ shape.last[side])


cdef void put_odd_probability(uint8_t *out, double x) noexcept nogil:
    """What `put_probability` leaves: zero, numbers below 1.83e-99, and those that 64 bits of the power leave open."""
    cdef uint8_t[18] text
    cdef Binary parts
    cdef int exponent = 0
    if x == 0:
        memcpy(out, b"0.000000000000", 14)
        return
    if x >= 0.0009765625:
        parts = taken_apart(x)
        put_seventeen(text, min(scaled(&parts, 12), 9999999999999LL))
        out[0], out[1] = text[4], c"."
        memcpy(out + 2, text + 5, 12)
        return
    put_seventeen(text, significant(x, 9, &exponent))
    if exponent < -99:
        memcpy(out, text + 8, 9)
        out[9], out[10] = c"e", c"-"
        put_three(out + 11, 8 - exponent)
        return
    out[0], out[1] = text[8], c"."
    memcpy(out + 2, text + 9, 8)
    put_three(out + 11, -exponent)
    out[10], out[11] = c"e", c"-"


cdef inline int put_scientific(uint8_t *out, double x) noexcept nogil:
    """17 digits in 22 bytes: 2.7402912345678901e-01; an exponent of three digits takes the place of the point."""
    cdef int exponent = 0
    cdef uint64_t value = 0 if x == 0 else significant(x, 17, &exponent)
    if exponent > -100:
        put_seventeen(out + 1, value)
        out[0], out[1] = out[1], c"."
        put_three(out + 19, -exponent)
        out[18], out[19] = c"e", c"+" if exponent == 0 else c"-"
        return 22
    put_seventeen(out, value)
    put_three(out + 19, 16 - exponent)
    out[17], out[18] = c"e", c"-"
    return 22


cdef int put_general(uint8_t *out, double x, int digits) noexcept nogil:
    """`digits` of any finite number: written out from 1e-5 to 1e9 as far as the digits reach, else with an exponent."""
    cdef uint8_t[18] text
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
    put_three(text, abs(exponent))
    digits = 3 if abs(exponent) > 99 else 2
    memcpy(p + 2, text + 3 - digits, digits)
    return p + 2 + digits - out


cdef int put_fixed(uint8_t *out, double x, int decimals) noexcept nogil:
    """`decimals` of any finite number, half to even from its exact value; from 1e17 on the shortest text instead."""
    cdef uint64_t bits = bits_of(x)
    cdef uint64_t mantissa = bits & 0x000FFFFFFFFFFFFFULL, whole = 0, part
    cdef int shift = 1075 - max(1, <int>((bits >> 52) & 0x7FF)), width = 1
    cdef uint8_t[18] text
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
