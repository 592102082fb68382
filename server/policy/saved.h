/* saved.h - numbers in the saved state of a policy: little-endian, whatever the machine. */
#ifndef CNV_SERVER_POLICY_SAVED_H
#define CNV_SERVER_POLICY_SAVED_H

#include <stddef.h>
#include <stdint.h>

/* The lowest count bytes of number, count <= 8. */
static inline void cnv_saved_put(uint8_t *bytes, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (uint8_t) (number >> 8 * i);
    }
}

static inline uint64_t cnv_saved_get(const uint8_t *bytes, size_t count)
{
    uint64_t number = 0;

    for (size_t i = 0; i < count; i++) {
        number |= (uint64_t) bytes[i] << 8 * i;
    }
    return number;
}

#endif
