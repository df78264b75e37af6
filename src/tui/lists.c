/* SPDX-License-Identifier: Apache-2.0 */
/* The lists that popups offer: models, devices, engines, choices of a control. */
#include "tui/ui.h"
#include "view/view.h"

#include <stdio.h>
#include <string.h>

static bool add_local(void *user, const hwl_local_model *m)
{
    struct tui_ui *ui = user;
    char text[300], bytes[32];
    (void)snprintf(text, sizeof text, "%-42.200s %10s  %s", m->name, hwl_view_bytes(m->bytes, bytes, sizeof bytes), m->store);
    tui_popup_add(ui, text, m->name);
    return ui->n_items < 4096;
}

void tui_popup_models(struct tui_ui *ui)
{
    const hwl_catalogue_model *m;
    tui_popup_open(ui, TUI_MODELS, "Model");
    if (ui->stores)
        (void)hwl_local_list(ui->stores, add_local, ui, NULL);
    for (uint32_t i = 0; (m = hwl_catalogue_at(i)); i++) {
        char text[200], params[32];
        (void)snprintf(text, sizeof text, "%-30s %9s  %s", m->name, hwl_view_params(m->parameters, params, sizeof params), m->id);
        tui_popup_add(ui, text, m->name);
    }
}

void tui_popup_devices(struct tui_ui *ui)
{
    const hwl_accelerator *a;
    tui_popup_open(ui, TUI_DEVICES, "Device");
    tui_popup_add(ui, "this machine", "machine");
    tui_popup_add(ui, "no GPU", "none");
    for (uint32_t i = 0; (a = hwl_accelerator_at(i)); i++) {
        char text[200], bytes[32];
        (void)snprintf(text, sizeof text, "%-42s %12s", a->name, hwl_view_bytes(a->usable_bytes, bytes, sizeof bytes));
        tui_popup_add(ui, text, a->name);
    }
}

void tui_popup_engines(struct tui_ui *ui)
{
    const char *const *versions, *engine;
    tui_popup_open(ui, TUI_ENGINES, "Engine and version");
    for (uint32_t i = 0; (engine = hwl_engine_at(i, &versions)); i++)
        for (uint32_t k = 0; versions[k]; k++) {
            char text[96];
            (void)snprintf(text, sizeof text, "%s %s", engine, versions[k]);
            if (ui->desk.plan && strcmp(engine, hwl_plan_engine(ui->desk.plan)) == 0 && strcmp(versions[k], hwl_plan_engine_version(ui->desk.plan)) == 0)
                ui->sel = ui->n_items;
            tui_popup_add(ui, text, text);
        }
}

void tui_popup_choices(struct tui_ui *ui)
{
    const uint32_t at = ui->at[TUI_AREA_CONTROLS];
    if (at >= ui->desk.n_controls)
        return;
    const struct hwl_control *c = ui->desk.control[at];
    const char *engine = hwl_plan_engine(ui->desk.plan), *v;
    char now[64];
    (void)tui_value(ui, c, now, sizeof now);
    tui_popup_open(ui, TUI_CHOICES, c->label);
    tui_popup_add(ui, strcmp(c->option, "quant") == 0 ? "as stored" : "default of the engine", "");
    for (uint32_t i = 0; (v = hwl_option_choice(engine, c->option, i)); i++) {
        if (strcmp(v, now) == 0)
            ui->sel = ui->n_items;
        tui_popup_add(ui, v, v);
    }
}
