#include <criterion/criterion.h>

#include "base/crc32c.h"

Test(crc32c, agrees_with_the_published_check_value, .timeout = 5)
{
    cr_assert_eq(cnv_crc32c(0, "123456789", 9), 0xE3069283U);
}

Test(crc32c, can_be_fed_in_parts, .timeout = 5)
{
    const char text[] = "forty-two bytes are more than five words.";

    for (size_t cut = 0; cut < sizeof(text); cut++) {
        uint32_t crc = cnv_crc32c(0, text, cut);
        cr_assert_eq(cnv_crc32c(crc, text + cut, sizeof(text) - cut),
                     cnv_crc32c(0, text, sizeof(text)));
    }
}
