/* SPDX-License-Identifier: Apache-2.0 */
/* graph_dump MODEL.gguf N_GPUS PROMPT|TOKEN [OPTION=VALUE ...]: the nodes of a compute graph of llama.cpp as its allocator sees
 * them, one a line: number, operation, back end, type, shape, strides, bytes there, sources (#number, or a leaf's type and shape).
 * tools/oracle_graph.py writes the real library's graphs in the same form, so that diff shows what differs. */
#include "engine/llamacpp/graph/compute.h"
#include "engine/llamacpp/hparams.h"
#include "engine/llamacpp/params.h"

#include <hwledger/hwledger.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const hwl_error *e)
{
    char text[1200];
    (void)fprintf(stderr, "graph_dump: %s\n", hwl_error_text(e, text, sizeof text));
    return 1;
}

static void print(const struct hwl_gsys *sys, const struct hwl_gsplit *split)
{
    for (uint64_t i = 0; i < split->n_leafs; i++)
        split->leafs[i]->seq = 0;
    for (uint64_t i = 0; i < split->n_nodes; i++)
        split->nodes[i]->seq = (uint32_t)i + 1;
    for (uint64_t i = 0; i < split->n_nodes; i++) {
        const struct hwl_node *t = split->nodes[i];
        printf("%" PRIu64 " %s %d %s %" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 " %" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 " %" PRIu64, i, hwl_g_op_name(t->op), t->be,
               hwl_dtype((enum hwl_dtype)t->type)->name, t->ne[0], t->ne[1], t->ne[2], t->ne[3], t->nb[0], t->nb[1], t->nb[2], t->nb[3],
               hwl_galloc_size(sys, (uint32_t)t->be, t));
        for (uint32_t j = 0; j < t->n_src; j++) {
            const struct hwl_node *s = t->src[j];
            if (s->seq)
                printf(" #%u", s->seq - 1);
            else
                printf(" %s:%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, hwl_dtype((enum hwl_dtype)s->type)->name, s->ne[0], s->ne[1], s->ne[2], s->ne[3]);
        }
        if (t->view)
            printf(t->view->seq ? " view #%u" : " view", t->view->seq - 1);
        puts(t->flags & HWL_GFLAG_OUTPUT ? " output" : "");
    }
}

int main(int argc, char **argv)
{
    hwl_error e;
    struct hwl_arena arena = {0}, scratch = {0};
    struct hwl_gguf *g;
    struct lc_model m;
    struct lc_digest digest = {0};
    hwl_devices *devices;
    hwl_settings *settings;
    bool mtp = false;
    if (argc < 4)
        return 2;
    if (hwl_gguf_open(argv[1], &arena, &g, &e) != HWL_OK || hwl_lc_read(g, &arena, &m, &e) != HWL_OK ||
        hwl_lc_read_tensors(&arena, &m, &e) != HWL_OK || hwl_lc_digest(&m, &arena, &digest, &e) != HWL_OK || hwl_devices_new(&devices) != HWL_OK ||
        hwl_settings_new(&settings) != HWL_OK)
        return fail(&e);
    for (int i = atoi(argv[2]); i > 0; i--)
        if (hwl_devices_add_gpu_memory(devices, "400000MiB", &e) != HWL_OK)
            return fail(&e);
    if (hwl_settings_set(settings, "program", "library", &e) != HWL_OK)
        return fail(&e);
    for (int i = 4; i < argc; i++) {
        char *eq = strchr(argv[i], '=');
        if (!eq)
            return 2;
        *eq = 0;
        if (strcmp(argv[i], "mtp") == 0) { /* the context on the MTP layers */
            mtp = true;
            continue;
        }
        if (hwl_settings_set(settings, argv[i], eq + 1, &e) != HWL_OK)
            return fail(&e);
    }
    struct lc_plan p = {.m = &m, .digest = &digest, .devices = devices, .settings = settings, .arena = &arena, .error = &e, .is_mtp = mtp};
    struct lc_compute c;
    struct hwl_gsys sys;
    struct hwl_gsplit split;
    if (hwl_lc_params(&p) != HWL_OK || hwl_lc_check(&p) != HWL_OK || hwl_lc_place(&p) != HWL_OK)
        return fail(&e);
    if (!hwl_lc_compute(&m, &p.params, &p.place, &scratch, &c, NULL) ||
        !hwl_lc_reserved(&m, &p.params, &p.place, &scratch, strcmp(argv[3], "TOKEN") ? HWL_LC_GRAPH_PROMPT : HWL_LC_GRAPH_TOKEN, c.fa, &sys, &split))
        return 1;
    print(&sys, &split);
    for (uint32_t i = 0; i <= sys.n_devices; i++)
        (void)fprintf(stderr, "%" PRIu64 "\n", c.bytes[i]);
    hwl_arena_free(&scratch);
    hwl_gguf_close(g);
    hwl_arena_free(&arena);
    hwl_settings_free(settings);
    hwl_devices_free(devices);
    return 0;
}
