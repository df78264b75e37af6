/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/ui.h"

void tui_draw_monitor(struct tui_ui *ui)
{
    (void)tui_text(&ui->grid, 1, 1, 40, TUI_TEXT, "monitor");
}
