/*
 * with_plugins.h - lets a conformance suite run over plug-ins too: the examples, and what the user
 * names in CONVENE_TEST_PLUGINS (files, separated by commas).
 */
#ifndef CNV_TESTS_WITH_PLUGINS_H
#define CNV_TESTS_WITH_PLUGINS_H

/* All of them, whatever their kind. To be called once, before the registries are looked at. */
void with_plugins(void);

#endif
