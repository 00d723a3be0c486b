#include <stdio.h>

#include "sim/command/command.h"

const char usage_schema[] =
    "usage: ecmplab schema\n"
    "\n"
    "Prints the JSON Schema (2020-12) of the scenario: it accepts what the other commands\n"
    "accept, for editors and validators.\n";

int command_schema(int argc, char **argv)
{
    json_t *schema;
    bool written;

    if (argc > 1)
        return usage_error("schema", "takes no argument, got '%s'", argv[1]);
    schema = scenario_schema();
    written = json_dumpf(schema, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;
    json_decref(schema);
    return written ? EXIT_HELD : EXIT_UNREADABLE;
}
