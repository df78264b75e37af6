/* SPDX-License-Identifier: Apache-2.0 */
/* Compute buffers where no graph is built for the architecture: the logits and the residual stream on the device that has
 * the output, masks and inputs on the host (shapes in src/llama-graph.cpp). Modelled, with a wide error. */
#include "engine/llamacpp/params.h"

static void put(struct lc_plan *p, struct hwl_ledger *l, uint16_t device, uint64_t bytes, bool host)
{
    hwl_entry *e = hwl_ledger_put(l, device, -1, HWL_KIND_COMPUTE, HWL_COMP_GRAPH, bytes, HWL_BASIS_MODELLED, "llama.cpp src/llama-graph.cpp");
    e->error = 0.5f;
    e->memory = !host ? HWL_MEMORY_DEVICE : p->place.n_gpus ? HWL_MEMORY_PINNED : HWL_MEMORY_PAGEABLE;
}

void hwl_lc_compute_floor(struct lc_plan *p, struct hwl_ledger *l)
{
    const struct lc_model *m = p->m;
    const struct lc_params *c = &p->params;
    struct hwl_ck *ck = &p->ck;
    const uint64_t n = hwl_min(c->n_ctx, c->n_ubatch), copies = c->pipeline ? 4 : 1;
    const uint64_t stream = hwl_ck_mul3(ck, n, m->n_embd, 4);
    const uint64_t logits = hwl_ck_mul3(ck, hwl_min(n, c->n_outputs_max), m->n_vocab, 4);
    const uint64_t cells = m->memory == LC_MEM_NONE || m->memory == LC_MEM_RECURRENT ? 0 : (uint64_t)c->kv_cells + c->kv_cells_swa;
    const uint64_t mask = hwl_ck_mul3(ck, cells, n, c->fa ? 2 : 4);
    uint64_t heads = 0;
    for (uint32_t il = 0; il < m->n_layer; il++)
        heads = hwl_max(heads, m->layers[il].n_head);
    const uint64_t scores = c->fa ? 0 : hwl_ck_mul4(ck, heads, cells, n, 4);
    const uint64_t body = hwl_max(hwl_ck_add(ck, logits, stream), hwl_ck_add(ck, scores, hwl_ck_add(ck, mask, hwl_ck_mul(ck, stream, 4))));
    const uint16_t out = p->place.layer[m->n_layer_all];
    const uint64_t inputs = hwl_ck_add(ck, mask, hwl_ck_mul(ck, stream, 2));
    for (uint16_t g = 0; g < p->place.n_gpus; g++)
        put(p, l, p->place.gpu[g], hwl_ck_add(ck, g == out ? body : hwl_ck_mul(ck, stream, 4), hwl_ck_mul(ck, inputs, copies - 1)), false);
    put(p, l, (uint16_t)p->devices->n_gpus, out == LC_HOST ? hwl_ck_add(ck, body, inputs) : hwl_ck_mul(ck, inputs, copies), true);
}
