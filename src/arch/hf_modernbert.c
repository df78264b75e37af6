/* SPDX-License-Identifier: Apache-2.0 */
/* ModernBERT. Shapes: transformers 5.24.0, models/modernbert. */
#include "arch/hf.h"

#include <string.h>

void hwl_hf_modernbert(struct hwl_hb *b, const struct hwl_config *c)
{
    const char *const class_name = hwl_cfg_at_str(c, "architectures", 0, "");
    const uint64_t h = hwl_cfg_u64(c, "hidden_size", 768), n = hwl_cfg_u64(c, "num_hidden_layers", 22), ff = hwl_cfg_u64(c, "intermediate_size", 1152);
    const uint64_t heads = hwl_cfg_u64(c, "num_attention_heads", 12), vocab = hwl_cfg_u64(c, "vocab_size", 50368);
    const uint64_t every = hwl_cfg_u64(c, "global_attn_every_n_layers", 3), window = hwl_cfg_u64(c, "local_attention", 128);
    const bool a_bias = hwl_cfg_bool(c, "attention_bias", false), m_bias = hwl_cfg_bool(c, "mlp_bias", false), n_bias = hwl_cfg_bool(c, "norm_bias", false);
    const bool bare = strcmp(class_name, "ModernBertModel") == 0 || !*class_name, lm = strstr(class_name, "ForMaskedLM") != NULL;
    if (!hwl_hb_layers(b, n, 0, 0))
        return;
    b->m->encoder_only = true;
    b->m->hidden = h;
    b->m->vocab = vocab;
    b->m->context_train = hwl_cfg_u64(c, "max_position_embeddings", 8192);
    const uint64_t head_dim = hwl_hb_div(b, "num_attention_heads", h, heads);
    const size_t mark = hwl_hb_push(b, "%s", bare ? "" : "model.");
    hwl_hb_mat(b, "embeddings.tok_embeddings.weight", HWL_ROLE_TOK_EMBD, vocab, h);
    hwl_hb_norm(b, "embeddings.norm", HWL_ROLE_EMBD_NORM, h, n_bias);
    for (uint64_t i = 0; i < n; i++) {
        const size_t inner = hwl_hb_push(b, "layers.%llu.", (unsigned long long)i);
        struct hwl_layer *const l = &b->m->layers[i];
        b->layer = (int32_t)i;
        if (i) /* the embedding's norm serves the first layer */
            hwl_hb_norm(b, "attn_norm", HWL_ROLE_ATTN_NORM, h, n_bias);
        hwl_hb_linear(b, "attn.Wqkv", HWL_ROLE_ATTN_QKV, hwl_hb_mul(b, h, 3), h, a_bias);
        hwl_hb_linear(b, "attn.Wo", HWL_ROLE_ATTN_OUT, h, h, a_bias);
        hwl_hb_norm(b, "mlp_norm", HWL_ROLE_FFN_NORM, h, n_bias);
        hwl_hb_linear(b, "mlp.Wi", HWL_ROLE_FFN_GATE_UP, hwl_hb_mul(b, ff, 2), h, m_bias);
        hwl_hb_linear(b, "mlp.Wo", HWL_ROLE_FFN_DOWN, h, ff, m_bias);
        hwl_hf_attn_fill(b, i, (struct hwl_attn_shape){h, heads, heads, head_dim}, every && i % every ? window : 0);
        l->attn.causal = false;
        l->feed_forward = HWL_FFN_DENSE;
        l->ffn = (struct hwl_ffn){.d_ff = ff, .gated = true};
        hwl_hb_pop(b, inner);
    }
    b->layer = -1;
    hwl_hb_norm(b, "final_norm", HWL_ROLE_OUTPUT_NORM, h, n_bias);
    hwl_hb_pop(b, mark);
    if (bare)
        return;
    hwl_hb_linear(b, "head.dense", HWL_ROLE_CLASSIFIER, h, h, hwl_cfg_bool(c, "classifier_bias", false));
    hwl_hb_norm(b, "head.norm", HWL_ROLE_CLASSIFIER, h, n_bias);
    if (lm) {
        hwl_hf_head(b, "decoder.weight", vocab, h, hwl_cfg_bool(c, "tie_word_embeddings", true));
        if (hwl_cfg_bool(c, "decoder_bias", true))
            hwl_hb_vec(b, "decoder.bias", HWL_ROLE_CLASSIFIER, vocab);
    } else {
        const struct hwl_config map = hwl_cfg_obj(c, "id2label");
        const uint64_t labels = map.obj && yyjson_obj_size(map.obj) ? yyjson_obj_size(map.obj) : 2;
        hwl_hb_linear(b, "classifier", HWL_ROLE_CLASSIFIER, hwl_cfg_u64(c, "num_labels", labels), h, true);
    }
}
