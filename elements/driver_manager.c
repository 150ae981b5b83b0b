/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DriverManager: a Script whose type is DRIVER unless it says otherwise.
 */
#include "elements/script.h"

static void driver_manager_defaults(struct element *e) { ((struct script *)e)->default_type = SCRIPT_DRIVER; }

static const struct element_class driver_manager_class = {
    .name = "DriverManager",
    .purpose = "runs a script that decides when the driver stops",
    .ports = "0/0",
    .processing = "a/a",
    .size = sizeof(struct script),
    .arguments = script_arguments,
    .handlers = script_handlers,
    .example = "DriverManager(pause, print c.count, wait 0.1s, stop);",
    .manual =
        "When something asks the driver to stop (a STOP argument, the handler `stop`), the script makes a step: it "
        "passes the instruction it is blocked at. The driver stops only when the script ends or says `stop`. At most "
        "one DriverManager, or Script of TYPE DRIVER, in a graph. Instructions are those of Script.",
    .defaults = driver_manager_defaults,
    .configure = script_configure,
    .takes_rest = true,
    .initialize = script_initialize,
    .cleanup = script_cleanup,
    .handler_find = script_handler_find,
    .handler_at = script_handler_at,
};
ELEMENT(DriverManager, driver_manager_class);
