/* SPDX-License-Identifier: Apache-2.0 */
/* Saving a plan: the document, the report, the picture, the command line. Files go to the current folder and never over another. */
#include "tui/ui.h"
#include "view/report.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void tui_popup_export(struct tui_ui *ui)
{
    if (!ui->desk.plan)
        return;
    tui_popup_open(ui, TUI_EXPORT, "Export into the current folder");
    tui_popup_add(ui, "JSON document          hwledger-plan.json", "json");
    tui_popup_add(ui, "report                 hwledger-plan.html", "html");
    tui_popup_add(ui, "picture                hwledger-plan.svg", "svg");
    tui_popup_add(ui, "command of hwledger    hwledger-plan.sh", "sh");
    char *text = NULL;
    if (hwl_plan_command(ui->desk.plan, &text, NULL) == HWL_OK)
        tui_popup_add(ui, "command of the engine  hwledger-plan.engine.sh", "engine.sh");
    hwl_text_free(text);
}

/* The first name of its kind that is free; *path gets it. */
static FILE *create(const char *ending, char *path, size_t size)
{
    for (int i = 1; i < 1000; i++) {
        if (i == 1)
            (void)snprintf(path, size, "hwledger-plan.%s", ending);
        else
            (void)snprintf(path, size, "hwledger-plan-%d.%s", i, ending);
        const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0)
            return fdopen(fd, "w");
    }
    return NULL;
}

static bool write_json(struct tui_ui *ui, FILE *out)
{
    struct tui_desk *d = &ui->desk;
    char *text = NULL;
    uint64_t n = 0;
    hwl_limits limits;
    const bool limited = hwl_planner_limits(d->planner, d->devices, d->settings, &limits, NULL) == HWL_OK;
    if (hwl_plan_json_advised(d->plan, limited ? &limits : NULL, d->advice, d->advised ? d->n_advice : 0, &text, &n, NULL) != HWL_OK)
        return false;
    const bool ok = fwrite(text, 1, (size_t)n, out) == n;
    hwl_text_free(text);
    return ok;
}

void tui_export_run(struct tui_ui *ui, const char *what)
{
    struct tui_desk *d = &ui->desk;
    char path[64], command[4096];
    FILE *out = create(what, path, sizeof path);
    bool ok = out != NULL;
    if (ok && strcmp(what, "json") == 0) {
        ok = write_json(ui, out);
    } else if (ok && strcmp(what, "html") == 0) {
        const struct hwl_view_report r = {&d->view, NULL, d->advice, d->advised ? d->n_advice : 0, d->settings};
        hwl_view_html(out, &r);
    } else if (ok && strcmp(what, "svg") == 0) {
        hwl_view_svg(out, &d->view);
    } else if (ok && strcmp(what, "engine.sh") == 0) {
        char *text = NULL;
        ok = hwl_plan_command(d->plan, &text, NULL) == HWL_OK && fprintf(out, "#!/bin/sh\n%s\n", text) > 0;
        hwl_text_free(text);
    } else if (ok) {
        (void)fprintf(out, "#!/bin/sh\n%s\n", tui_desk_command(d, command, sizeof command));
    }
    if (out && (ferror(out) || fclose(out) != 0 || !ok)) {
        ok = false;
        (void)remove(path);
    }
    (void)snprintf(d->notice, sizeof d->notice, ok ? "written: %s" : "%s cannot be written", path);
}
