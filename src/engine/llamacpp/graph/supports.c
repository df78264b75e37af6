/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/llamacpp/graph/sched.h"

/* What a back end can run, as far as llama.cpp's graphs ask for it: ggml-cuda.cu ggml_backend_cuda_device_supports_op and
 * fattn.cu ggml_cuda_get_best_fattn_kernel, ggml-cpu.cpp ggml_backend_cpu_device_supports_op (0c1e57098). */

static bool fa_supported(const struct hwl_node *t)
{
    const struct hwl_node *q = t->src[0], *k = t->src[1], *v = t->src[2], *mask = t->n_src > 3 ? t->src[3] : NULL;
    const uint64_t ratio = k->ne[2] ? q->ne[2] / k->ne[2] : 0;
    const bool gqa = ratio >= 2 && mask && !t->alibi && k->ne[1] % 256 == 0;
    if (mask && mask->ne[2] != 1)
        return false;
    switch (k->ne[0]) {
    case 40: case 64: case 72: case 80: case 96: case 112: case 128: case 256:
        return v->ne[0] == k->ne[0];
    case 192:
        return v->ne[0] == 128 && gqa && ratio % 8 == 0;
    case 320:
        return v->ne[0] == 256 && gqa && ratio % 32 == 0;
    case 512: case 576:
        return v->ne[0] == 512 && gqa;
    default:
        return false;
    }
}

static bool cuda_supports(const struct hwl_node *t)
{
    const struct hwl_node *a = t->src[0], *b = t->n_src > 1 ? t->src[1] : NULL;
    switch (t->op) {
    case HWL_OP_FLASH_ATTN_EXT:
        return fa_supported(t);
    case HWL_OP_SSM_SCAN:
        if (t->src[3]->ne[0] == 1) /* Mamba 2 */
            return (a->ne[0] == 96 || a->ne[0] == 128 || a->ne[0] == 256) && a->ne[1] % 16 == 0;
        return a->ne[0] == 16 && a->ne[1] == 1 && a->ne[2] % 128 == 0 && t->src[4]->ne[1] == 1;
    case HWL_OP_SSM_CONV:
        return a->ne[1] % 128 == 0;
    case HWL_OP_MUL_MAT: case HWL_OP_MUL_MAT_ID:
        return !(b->type == HWL_DTYPE_F16 && a->type != HWL_DTYPE_F16);
    case HWL_OP_REPEAT:
        return a->type == HWL_DTYPE_F32 || a->type == HWL_DTYPE_F16;
    case HWL_OP_UNARY:
        return hwl_g_contiguous(a);
    case HWL_OP_LIGHTNING_INDEXER:
        return a->ne[0] == 128 && (a->ne[1] == 64 || a->ne[1] == 32);
    default:
        return true;
    }
}

static bool cpu_supports(const struct hwl_gsys *sys, const struct hwl_node *t)
{
    for (uint32_t i = 0; i < t->n_src && i < 4; i++)
        if (t->src[i]->buft == (int8_t)sys->n_devices + 1) /* repacked weights do matrix products only */
            return t->op == HWL_OP_MUL_MAT || t->op == HWL_OP_MUL_MAT_ID;
    switch (t->op) {
    case HWL_OP_SSM_SCAN:
        return t->param == 1 || t->src[3]->ne[0] == 1;
    case HWL_OP_MUL_MAT:
        return t->src[1]->type == HWL_DTYPE_F32 || t->src[1]->type == t->src[0]->type;
    default:
        return true;
    }
}

bool hwl_gsupports(const struct hwl_gsys *sys, uint32_t be, const struct hwl_node *t)
{
    if (be == sys->n_devices)
        return hwl_g_is_view_op(t->op) || t->op == HWL_OP_NONE || cpu_supports(sys, t);
    for (uint32_t i = 0; i < t->n_src; i++) {
        const int8_t buft = t->src[i]->buft; /* a tensor of another device cannot be read */
        if (buft >= 0 && buft < (int8_t)sys->n_devices && buft != (int8_t)be)
            return false;
    }
    return !sys->strict[be] || cuda_supports(t);
}
