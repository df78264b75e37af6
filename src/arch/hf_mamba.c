/* SPDX-License-Identifier: Apache-2.0 */
/* Mamba, Falcon-Mamba and Mamba-2. Shapes: transformers 5.24.0, models/{mamba,falcon_mamba,mamba2}. The state of a sequence:
 * (d_conv - 1) columns of the convolution's channels and d_inner x d_state matrix elements. */
#include "arch/hf_mamba.h"

static uint32_t u32(uint64_t v)
{
    return (uint32_t)hwl_min(v, UINT32_MAX);
}

uint64_t hwl_hf_rank(const struct hwl_config *c, const char *key, uint64_t hidden)
{
    if (!hwl_cfg_has(c, key) || yyjson_is_str(hwl_json_get(c->obj, key)))
        return hwl_div_ceil(hidden, 16);
    return hwl_cfg_u64(c, key, 0);
}

void hwl_hf_mamba1_mixer(struct hwl_hb *b, struct hwl_layer *l, const struct hwl_mamba1 *m)
{
    hwl_hb_mat(b, "A_log", HWL_ROLE_SSM_A, m->inner, m->state);
    hwl_hb_vec(b, "D", HWL_ROLE_SSM_D, m->inner);
    hwl_hb_conv1d(b, "conv1d", HWL_ROLE_SSM_CONV, m->inner, 1, m->conv, m->conv_bias);
    hwl_hb_linear(b, "in_proj", HWL_ROLE_SSM_IN, hwl_hb_mul(b, m->inner, 2), m->hidden, m->bias);
    hwl_hb_linear(b, "x_proj", HWL_ROLE_SSM_X, hwl_hb_add(b, m->rank, hwl_hb_mul(b, m->state, 2)), m->inner, false);
    hwl_hb_linear(b, "dt_proj", HWL_ROLE_SSM_DT, m->inner, m->rank, true);
    hwl_hb_linear(b, "out_proj", HWL_ROLE_SSM_OUT, m->hidden, m->inner, m->bias);
    if (m->norms) {
        hwl_hb_norm(b, "dt_layernorm", HWL_ROLE_SSM_DT_NORM, m->rank, false);
        hwl_hb_norm(b, "b_layernorm", HWL_ROLE_SSM_B_NORM, m->state, false);
        hwl_hb_norm(b, "c_layernorm", HWL_ROLE_SSM_C_NORM, m->state, false);
    }
    l->mixer = HWL_MIXER_MAMBA;
    l->state = (struct hwl_state){.d_conv = u32(m->conv), .conv_dim = m->inner, .d_inner = m->inner, .d_state = m->state, .dt_rank = u32(m->rank)};
    l->state.ssm_elems = hwl_hb_mul(b, m->inner, m->state);
}

void hwl_hf_mamba2_mixer(struct hwl_hb *b, struct hwl_layer *l, const struct hwl_mamba2 *m)
{
    const uint64_t conv = hwl_hb_add(b, m->inner, hwl_hb_mul(b, 2, hwl_hb_mul(b, m->groups, m->state)));
    hwl_hb_vec(b, "dt_bias", HWL_ROLE_SSM_DT, m->heads);
    hwl_hb_vec(b, "A_log", HWL_ROLE_SSM_A, m->heads);
    hwl_hb_vec(b, "D", HWL_ROLE_SSM_D, m->heads);
    hwl_hb_conv1d(b, "conv1d", HWL_ROLE_SSM_CONV, conv, 1, m->conv, m->conv_bias);
    hwl_hb_linear(b, "in_proj", HWL_ROLE_SSM_IN, hwl_hb_add(b, hwl_hb_add(b, m->inner, conv), m->heads), m->hidden, m->bias);
    if (m->norm)
        hwl_hb_norm(b, "norm", HWL_ROLE_SSM_NORM, m->inner, false);
    hwl_hb_linear(b, "out_proj", HWL_ROLE_SSM_OUT, m->hidden, m->inner, m->out_bias);
    if (l->mixer == HWL_MIXER_NONE)
        l->mixer = HWL_MIXER_MAMBA2;
    l->state = (struct hwl_state){.d_conv = u32(m->conv), .conv_dim = conv, .d_inner = m->inner, .d_state = m->state,
                                  .n_groups = u32(m->groups), .n_heads = u32(m->heads), .n_k_heads = u32(m->heads),
                                  .head_dim = u32(m->head_dim)};
    l->state.ssm_elems = hwl_hb_mul(b, m->inner, m->state);
}

struct hwl_mamba2 hwl_hf_mamba2_keys(struct hwl_hb *b, const struct hwl_config *c, uint64_t hidden)
{
    struct hwl_mamba2 m = {.hidden = hidden};
    m.heads = hwl_cfg_u64(c, "mamba_n_heads", 128);
    m.inner = hwl_hb_mul(b, hidden, hwl_cfg_u64(c, "mamba_expand", 2));
    m.head_dim = hwl_cfg_u64(c, "mamba_d_head", 0);
    if (m.head_dim == 0)
        m.head_dim = hwl_hb_div(b, "mamba_n_heads", m.inner, m.heads);
    m.state = hwl_cfg_u64(c, "mamba_d_state", 256);
    m.groups = hwl_cfg_u64(c, "mamba_n_groups", 1);
    m.conv = hwl_cfg_u64(c, "mamba_d_conv", 4);
    m.bias = m.out_bias = hwl_cfg_bool(c, "mamba_proj_bias", false);
    m.conv_bias = hwl_cfg_bool(c, "mamba_conv_bias", true);
    m.norm = true;
    return m;
}

static void stack(struct hwl_hb *b, const struct hwl_config *root, uint64_t hidden, const struct hwl_mamba1 *one, const struct hwl_mamba2 *two,
                  bool tied)
{
    const uint64_t n = hwl_cfg_u64(root, "num_hidden_layers|n_layer", one ? 32 : 64), vocab = hwl_cfg_u64(root, "vocab_size", one ? 50280 : 32768);
    if (!hwl_hb_layers(b, n, 0, 0))
        return;
    b->m->hidden = hidden;
    b->m->vocab = vocab;
    b->m->context_train = hwl_cfg_u64(root, "max_position_embeddings", 0);
    hwl_hb_mat(b, "backbone.embeddings.weight", HWL_ROLE_TOK_EMBD, vocab, hidden);
    for (uint64_t i = 0; i < n; i++) {
        const size_t mark = hwl_hb_push(b, "backbone.layers.%llu.", (unsigned long long)i);
        b->layer = (int32_t)i;
        hwl_hb_norm(b, "norm", HWL_ROLE_ATTN_NORM, hidden, false);
        (void)hwl_hb_push(b, "mixer.");
        if (one)
            hwl_hf_mamba1_mixer(b, &b->m->layers[i], one);
        else
            hwl_hf_mamba2_mixer(b, &b->m->layers[i], two);
        hwl_hb_pop(b, mark);
    }
    b->layer = -1;
    hwl_hb_norm(b, "backbone.norm_f", HWL_ROLE_OUTPUT_NORM, hidden, false);
    hwl_hf_head(b, "lm_head.weight", vocab, hidden, tied);
}

void hwl_hf_mamba(struct hwl_hb *b, const struct hwl_config *root)
{
    struct hwl_mamba1 m = {0};
    m.hidden = hwl_cfg_u64(root, "hidden_size|d_model", 768);
    m.inner = hwl_cfg_u64(root, "intermediate_size|d_inner", 0);
    if (m.inner == 0)
        m.inner = hwl_hb_mul(b, m.hidden, hwl_cfg_u64(root, "expand", 2));
    m.state = hwl_cfg_u64(root, "state_size|d_state", 16);
    m.conv = hwl_cfg_u64(root, "conv_kernel|d_conv", 4);
    m.rank = hwl_hf_rank(root, "time_step_rank", m.hidden);
    m.bias = hwl_cfg_bool(root, "use_bias", false);
    m.conv_bias = hwl_cfg_bool(root, "use_conv_bias", true);
    stack(b, root, m.hidden, &m, NULL, hwl_cfg_bool(root, "tie_word_embeddings", true));
}

void hwl_hf_mamba2(struct hwl_hb *b, const struct hwl_config *root)
{
    struct hwl_mamba2 m = {.norm = true};
    m.hidden = hwl_cfg_u64(root, "hidden_size", 4096);
    m.inner = hwl_hb_mul(b, m.hidden, hwl_cfg_u64(root, "expand", 2));
    m.heads = hwl_cfg_u64(root, "num_heads", 128);
    m.head_dim = hwl_cfg_u64(root, "head_dim", 64);
    m.state = hwl_cfg_u64(root, "state_size", 128);
    m.groups = hwl_cfg_u64(root, "n_groups", 8);
    m.conv = hwl_cfg_u64(root, "conv_kernel", 4);
    m.bias = m.out_bias = hwl_cfg_bool(root, "use_bias", false);
    m.conv_bias = hwl_cfg_bool(root, "use_conv_bias", true);
    stack(b, root, m.hidden, NULL, &m, hwl_cfg_bool(root, "tie_word_embeddings", false));
}
