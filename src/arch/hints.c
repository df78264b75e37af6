/* SPDX-License-Identifier: Apache-2.0 */
/* What engines read of a config.json beside the shapes: class, rope scaling, type of the recurrent state. */
#include "arch/model.h"

#include "base/bytes.h"
#include "base/str.h"
#include "source/config.h"

#include <string.h>

static void read_rope(struct hwl_hints *h, const struct hwl_config *rope, struct hwl_arena *arena)
{
    const char *type = hwl_cfg_str(rope, "rope_type|type", "default");
    h->rope_type = hwl_arena_str(arena, type);
    h->rope_factor = hwl_cfg_real(rope, "factor", 0.0);
    if (h->context_original == 0)
        h->context_original = hwl_cfg_u64(rope, "original_max_position_embeddings", 0);
}

/* Attention beside recurrent layers, or with linear biases, that rotates nothing; the configuration need not say so. */
static const char unrotated[] = "nemotron_h jamba kimi_linear bloom mpt";

static bool is_unrotated(const struct hwl_config *text)
{
    const char *kind = hwl_cfg_str(text, "position_embedding_type", "");
    const struct hwl_config attn = hwl_cfg_obj(text, "attn_config");
    return hwl_words_have(unrotated, hwl_cfg_str(text, "model_type", "")) || hwl_cfg_bool(text, "alibi", false) ||
           (attn.obj && hwl_cfg_bool(&attn, "alibi", false)) || strcmp(kind, "nope") == 0 || strcmp(kind, "alibi") == 0;
}

/* One base for windows and another for the whole context: named so, or in an object for each kind of layer. */
static bool has_local_rope(const struct hwl_config *text, const struct hwl_config *rope)
{
    static const char by_default[] = "gemma3 gemma3_text gemma3n gemma3n_text gemma4 gemma4_text olmo3";
    return hwl_cfg_real(text, "rope_local_base_freq|local_rope_theta|swa_rope_theta|rope_theta_local", 0.0) > 0.0 ||
           (rope->obj && hwl_cfg_obj(rope, "sliding_attention").obj) ||
           hwl_words_have(by_default, hwl_cfg_str(text, "model_type", ""));
}

/* Published configurations of these have mrope_section, in an object or as the class's default. */
static const char mrope[] = "qwen2_vl qwen2_5_vl qwen2_5_omni qwen3_vl qwen3_vl_moe qwen3_omni_moe qwen3_5 qwen3_5_moe glm4v glm4v_moe";

static bool is_alibi(const struct hwl_config *text)
{
    const struct hwl_config attn = hwl_cfg_obj(text, "attn_config");
    return hwl_words_have("bloom", hwl_cfg_str(text, "model_type", "")) || hwl_cfg_bool(text, "alibi", false) ||
           (attn.obj && hwl_cfg_bool(&attn, "alibi", false)) || strcmp(hwl_cfg_str(text, "position_embedding_type", ""), "alibi") == 0;
}

/* model_arch_config_convertor.py is_mm_prefix_lm of vLLM. */
static bool has_image_prefix(const struct hwl_config *root, const struct hwl_config *text)
{
    return hwl_words_have("bagel gemma3 molmo2 moondream3 paligemma", hwl_cfg_str(root, "model_type", "")) ||
           strcmp(hwl_cfg_is_bool(text, "use_bidirectional_attention") ? "" : hwl_cfg_str(text, "use_bidirectional_attention", ""), "vision") == 0;
}

/* A window of the whole text part, which a list of kinds would put on some of the layers. */
static uint64_t common_window(const struct hwl_config *text)
{
    const uint64_t n = hwl_cfg_n(text, "layer_types");
    for (uint64_t i = 0; i < n; i++)
        if (strcmp(hwl_cfg_at_str(text, "layer_types", i, ""), "sliding_attention") != 0)
            return 0;
    if (hwl_cfg_n(text, "sliding_window") > 1) /* one for each layer */
        return 0;
    return hwl_cfg_bool(text, "use_sliding_window", true) ? hwl_cfg_u64(text, "sliding_window", 0) : 0;
}

void hwl_hints_read(struct hwl_model *model, const struct hwl_config *root, const struct hwl_config *text)
{
    struct hwl_hints *h = &model->hints;
    *h = (struct hwl_hints){.class_name = "", .rope_type = "default"};
    h->class_name = hwl_arena_str(&model->arena, hwl_cfg_at_str(root, "architectures", 0, ""));
    h->text_type = hwl_arena_str(&model->arena, hwl_cfg_str(text, "model_type", ""));
    h->activation = hwl_arena_str(&model->arena, hwl_cfg_str(text, "hidden_act|hidden_activation|activation_function|activation_fn|mlp_hidden_act|afn", ""));
    h->context_original = hwl_cfg_u64(text, "original_max_position_embeddings", 0);
    h->context_stated = hwl_cfg_u64(text, "model_max_length", 0);
    static const char *const lengths[] = {"n_positions", "max_seq_len", "seq_length", "max_target_positions", "max_sequence_length", "max_seq_length", "seq_len"};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const uint64_t n = hwl_cfg_u64(text, lengths[i], 0);
        h->context_least = n && (h->context_least == 0 || n < h->context_least) ? n : h->context_least;
    }
    const struct hwl_config rope = hwl_cfg_obj(text, "rope_scaling|rope_parameters");
    if (rope.obj) {
        /* one object for all layers, or one for each kind of layer */
        const struct hwl_config full = hwl_cfg_obj(&rope, "full_attention");
        read_rope(h, full.obj ? &full : &rope, &model->arena);
        h->rotary_part = hwl_cfg_real(full.obj ? &full : &rope, "partial_rotary_factor", 0.0);
        h->mrope = hwl_cfg_n(full.obj ? &full : &rope, "mrope_section") > 0;
    }
    h->mrope = h->mrope || hwl_words_have(mrope, hwl_cfg_str(root, "model_type", ""));
    h->rotary_dim = (uint32_t)hwl_min(hwl_cfg_u64(text, "rotary_dim", 0), 65536);
    h->unrotated = is_unrotated(text);
    h->alibi = is_alibi(text);
    h->image_prefix = has_image_prefix(root, text);
    h->window = common_window(text);
    h->local_rope = has_local_rope(text, &rope);
    if (h->rotary_part == 0.0)
        h->rotary_part = hwl_cfg_real(text, "partial_rotary_factor|rope_pct|rotary_pct", 0.0);
    h->state_dtype = (uint16_t)hwl_dtype_of_name(hwl_cfg_str(text, "mamba_ssm_cache_dtype|mamba_ssm_dtype", ""));
    h->state_chunk = hwl_cfg_u64(text, "mamba_chunk_size|chunk_size", 0);
    if (!h->class_name)
        h->class_name = "";
    if (!h->rope_type)
        h->rope_type = "default";
}
