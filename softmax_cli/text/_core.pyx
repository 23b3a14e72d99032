# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled half of reading and writing text tables: bytes to numbers and spans, numbers and spans to bytes.

Everything here works on buffers, runs without the interpreter's lock, and never looks past the end of a buffer. What
the functions mean is said in `softmax_cli.text.parsing` and `softmax_cli.text.formatting`, the only modules that call
them; the tests hold the plain definition of each (Python's ``float`` and ``format``, the ``csv`` and ``json`` modules).

A *span* is a pair of positions in a block: where a cell begins and ends, quotes around it included.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize, PyByteArray_Resize
from libc.math cimport INFINITY, NAN, isinf, isnan, signbit
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcmp, memcpy, memset


cdef extern from *:
    """
    #if !defined(__SIZEOF_INT128__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    #error "softmax_cli.text needs 128-bit integers and a little-endian machine: gcc or clang for x86-64 or arm64"
    #endif

    #if defined(__clang__)
    #define COMPILED_BY "clang " __clang_version__
    #elif defined(__GNUC__)
    #define COMPILED_BY "gcc " __VERSION__
    #else
    #define COMPILED_BY "an unknown compiler"
    #endif

    static inline uint64_t multiply(uint64_t a, uint64_t b, uint64_t *low) {
        unsigned __int128 product = (unsigned __int128)a * b;
        *low = (uint64_t)product;
        return (uint64_t)(product >> 64);
    }

    static const uint64_t WHOLE_TENS[20] = {
        1ULL, 10ULL, 100ULL, 1000ULL, 10000ULL, 100000ULL, 1000000ULL, 10000000ULL, 100000000ULL, 1000000000ULL,
        10000000000ULL, 100000000000ULL, 1000000000000ULL, 10000000000000ULL, 100000000000000ULL, 1000000000000000ULL,
        10000000000000000ULL, 100000000000000000ULL, 1000000000000000000ULL, 10000000000000000000ULL};

    /* m * (high:low) / 2**(shift + 128), rounded half to even; -1 where a power that is not exact leaves that open. */
    static inline int64_t scale(uint64_t m, uint64_t high, uint64_t low, int shift, int exact) {
        unsigned __int128 product = (unsigned __int128)m * high, lower, half = (unsigned __int128)1 << (shift + 63), rest;
        uint64_t upper = (uint64_t)(product >> 64), near = upper & ((1ULL << shift) - 1), middle = 1ULL << (shift - 1);
        int64_t whole = (int64_t)(upper >> shift);
        if (near + 1 < middle || near > middle) /* what `low` adds is less than 1 */
            return whole + (near > middle);
        lower = (unsigned __int128)m * low;
        product += lower >> 64;
        whole = (int64_t)(product >> (shift + 64));
        rest = product & (2 * half - 1);
        if (!exact && rest - half + 2 <= 4)
            return -1;
        return whole + (rest > half || (rest == half && ((uint64_t)lower != 0 || (whole & 1))));
    }

    /* m * factor / 2**shift, rounded half to even, for m below 2**53, a factor below 2**57 and a shift from 1 on. */
    static inline uint64_t scale_exactly(uint64_t m, uint64_t factor, int shift) {
        unsigned __int128 product = (unsigned __int128)m * factor, half, rest;
        uint64_t whole, low;
        if (shift > 110)
            return 0;
        whole = (uint64_t)(product >> shift);
        if (shift < 64) {
            low = (uint64_t)product << (64 - shift);
            return whole + (low > 1ULL << 63 || (low == 1ULL << 63 && (whole & 1)));
        }
        half = (unsigned __int128)1 << (shift - 1);
        rest = product & (2 * half - 1);
        return whole + (rest > half || (rest == half && (whole & 1)));
    }

    static inline uint64_t load_eight(const unsigned char *p) { uint64_t v; memcpy(&v, p, 8); return v; }
    static inline void store_eight(unsigned char *p, uint64_t v) { memcpy(p, &v, 8); }
    static inline void store_four(unsigned char *p, uint32_t v) { memcpy(p, &v, 4); }
    static inline uint64_t bits_of(double x) { uint64_t b; memcpy(&b, &x, 8); return b; }
    static inline double double_of(uint64_t b) { double x; memcpy(&x, &b, 8); return x; }

    /* How often a byte occurs: sums of one byte each, which the compiler turns into vectors. */
    static inline int64_t count_byte(const unsigned char *p, int64_t n, unsigned char wanted) {
        int64_t total = 0, i = 0;
        for (; i + 128 <= n; i += 128) {
            unsigned char few = 0;
            for (int j = 0; j < 128; j++) few += p[i + j] == wanted;
            total += few;
        }
        for (; i < n; i++) total += p[i] == wanted;
        return total;
    }
    """
    const char *COMPILED_BY
    uint64_t multiply(uint64_t a, uint64_t b, uint64_t *low) noexcept nogil
    int64_t scale(uint64_t m, uint64_t high, uint64_t low, int shift, bint exact) noexcept nogil
    uint64_t scale_exactly(uint64_t m, uint64_t factor, int shift) noexcept nogil
    const uint64_t *WHOLE_TENS
    uint64_t load_eight(const uint8_t *p) noexcept nogil
    void store_eight(uint8_t *p, uint64_t v) noexcept nogil
    void store_four(uint8_t *p, uint32_t v) noexcept nogil
    uint64_t bits_of(double x) noexcept nogil
    double double_of(uint64_t b) noexcept nogil
    int64_t count_byte(const uint8_t *p, int64_t n, uint8_t wanted) noexcept nogil
    int leading_zeros "__builtin_clzll"(uint64_t v) noexcept nogil
    int trailing_zeros "__builtin_ctzll"(uint64_t v) noexcept nogil

COMPILER = COMPILED_BY.decode("ascii", "replace").strip()


include "_read_numbers.pxi"
include "_read_fields.pxi"
include "_read_objects.pxi"
include "_write_numbers.pxi"
include "_write_rows.pxi"
