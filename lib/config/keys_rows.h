/*
 * keys_rows.h - shorthands for the rows of the one table of settings, for keys.c alone.
 *
 * Integers stay within 2^53, so that a double holds every one of them.
 */
#ifndef CNV_CONFIG_KEYS_ROWS_H
#define CNV_CONFIG_KEYS_ROWS_H

#include "base/param.h"

#define INTEGER(path, unit, low, high, initial, text)                                              \
    {                                                                                              \
        path, CNV_PARAM_INTEGER, unit, low, high, NULL, initial, text                              \
    }
#define REAL(path, unit, low, high, initial, text)                                                 \
    {                                                                                              \
        path, CNV_PARAM_REAL, unit, low, high, NULL, initial, text                                 \
    }
#define FRACTION(path, low, high, initial, text)                                                   \
    {                                                                                              \
        path, CNV_PARAM_FRACTION, "", low, high, NULL, initial, text                               \
    }
#define BOOLEAN(path, initial, text)                                                               \
    {                                                                                              \
        path, CNV_PARAM_BOOLEAN, "", 0, 0, NULL, initial, text                                     \
    }
#define CHOICE(path, choices, initial, text)                                                       \
    {                                                                                              \
        path, CNV_PARAM_CHOICE, "", 0, 0, choices, initial, text                                   \
    }
#define TEXT(path, initial, text)                                                                  \
    {                                                                                              \
        path, CNV_PARAM_TEXT, "", 0, 0, NULL, initial, text                                        \
    }

#define LARGEST_INTEGER   0x1p53
#define LARGEST_REAL      1e300
#define SMALLEST_POSITIVE 1e-300

#endif
