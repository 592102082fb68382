/* crc32c.h - CRC-32C (Castagnoli, reflected, polynomial 0x1EDC6F41) of bytes. */
#ifndef CNV_BASE_CRC32C_H
#define CNV_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Starts with crc = 0; feed the result back to go on. "123456789" gives 0xE3069283. */
uint32_t cnv_crc32c(uint32_t crc, const void *bytes, size_t len);

#endif
