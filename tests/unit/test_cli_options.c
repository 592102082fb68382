/* test_cli_options.c - command lines are read by their table, and what is wrong is named. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "options.h"

struct args {
    bool flag;
    const char *text;
    double seconds;
    struct cnv_option_list list;
};

static const struct cnv_option table[] = {
    { "flag", CNV_OPTION_FLAG, offsetof(struct args, flag), NULL, "A flag." },
    { "text", CNV_OPTION_TEXT, offsetof(struct args, text), "TEXT", "A text." },
    { "timeout", CNV_OPTION_SECONDS, offsetof(struct args, seconds), "S", "A time." },
    { "set", CNV_OPTION_LIST, offsetof(struct args, list), "K=V", "A list." },
    { .name = NULL },
};

Test(options, reads_every_type_in_both_spellings, .timeout = 5)
{
    const char *const argv[] = { "--flag", "--text", "a=b",      "--timeout=2.5",
                                 "--set",  "x=1",    "--set=y=2" };
    struct args args = { 0 };
    struct cnv_error err;
    bool help = true;

    cr_assert_eq(cnv_options_parse(table, 7, argv, &args, &help, &err), CNV_OK);
    cr_assert(args.flag);
    cr_assert(!help);
    cr_assert_str_eq(args.text, "a=b");
    cr_assert_eq(args.seconds, 2.5);
    cr_assert_eq(args.list.count, 2);
    cr_assert_str_eq(args.list.at[0], "x=1");
    cr_assert_str_eq(args.list.at[1], "y=2");
}

Test(options, help_is_seen_before_later_mistakes, .timeout = 5)
{
    const char *const argv[] = { "--help", "--nonsense" };
    struct args args = { 0 };
    bool help = false;

    cr_assert_eq(cnv_options_parse(table, 2, argv, &args, &help, NULL), CNV_OK);
    cr_assert(help);
}

Test(options, words_without_dashes_go_to_the_row_without_a_name, .timeout = 5)
{
    static const struct cnv_option with_words[] = {
        { "flag", CNV_OPTION_FLAG, offsetof(struct args, flag), NULL, "A flag." },
        { "",
          CNV_OPTION_LIST,
          offsetof(struct args, list),
          "KIND [KEY=VALUE ...]",
          "What to set." },
        { .name = NULL },
    };
    const char *const argv[] = { "fixed", "--flag", "local-steps=4" };
    struct args args = { 0 };
    bool help = false;

    cr_assert_eq(cnv_options_parse(with_words, 3, argv, &args, &help, NULL), CNV_OK);
    cr_assert(args.flag);
    cr_assert_eq(args.list.count, 2);
    cr_assert_str_eq(args.list.at[0], "fixed");
    cr_assert_str_eq(args.list.at[1], "local-steps=4");
    cr_assert_str_eq(cnv_options_words(with_words), "KIND [KEY=VALUE ...]");
    cr_assert_str_eq(cnv_options_words(table), "");
}

struct refusal {
    char word[2][16];
    char expected[32]; /* part of the line */
};

ParameterizedTestParameters(options, refuses)
{
    static struct refusal cases[] = {
        { { "--nonsense", "" }, "--nonsense" }, { { "stray", "" }, "stray" },
        { { "--text", "" }, "needs a value" },  { { "--flag=1", "" }, "takes no value" },
        { { "--timeout", "0" }, "above 0" },    { { "--timeout", "1x" }, "1x" },
        { { "--timeout", "nan" }, "nan" },      { { "--", "" }, "'--'" },
    };

    return cr_make_param_array(struct refusal, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct refusal *refusal, options, refuses, .timeout = 5)
{
    const char *const argv[] = { refusal->word[0], refusal->word[1] };
    struct args args = { 0 };
    struct cnv_error err;
    bool help = false;

    cr_assert_eq(
        cnv_options_parse(table, refusal->word[1][0] == '\0' ? 1 : 2, argv, &args, &help, &err),
        CNV_E_INPUT);
    cr_assert_not_null(strstr(err.text, refusal->expected), "%s", err.text);
    cr_assert_null(strchr(err.text, '\n'));
}
