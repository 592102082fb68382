/* fuzz.h - what every fuzz target defines; libFuzzer and replay.c call it by this name. */
#ifndef CNV_TESTS_FUZZ_FUZZ_H
#define CNV_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Tries the bytes; aborts when something is wrong. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
