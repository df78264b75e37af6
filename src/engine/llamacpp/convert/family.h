/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_ENGINE_LLAMACPP_CONVERT_FAMILY_H
#define HWL_ENGINE_LLAMACPP_CONVERT_FAMILY_H

#include "arch/model.h"
#include "base/str.h"

/* How a tensor changes on the way into a GGUF file. */
enum lc_change {
    LC_KEEP,      /* dimensions in reverse order, ones squeezed; `count` equal ones become one with a further dimension */
    LC_DROP,      /* the converter leaves it out */
    LC_KV_B,      /* MLA: [heads * (nope + v), rank] becomes k_b [nope, rank, heads] and v_b [rank, v, heads] */
    LC_HALVES,    /* fused gate and up become two */
    LC_QKV,       /* fused query, key and value become three */
    LC_QKVZ,      /* the fused input of a gated delta net becomes attn_qkv and attn_gate */
    LC_COLUMN,    /* a vector of n becomes [1, n] */
    LC_GROUPS,    /* a vector of n becomes [n / groups, groups] (gated norm of Mamba2) */
    LC_TRANSPOSE, /* stored [in, out] (Conv1D of GPT-2) */
    LC_EXPERTS,   /* all experts below one another as [experts * width, hidden] become [hidden, width, experts] */
    LC_EXPERTS_T, /* the same of the way down: [width, hidden, experts] */
    LC_CHOP,      /* rows of positions that no token has are cut off (RoBERTa) */
    LC_DOWN,      /* the way down of experts that stand in one tensor: [experts, in, out] is turned */
    LC_THIRDS,    /* three convolutions in one: each [kernel, 1, channels / 3] */
    LC_BARE,      /* the name stands without ".weight" */
};

struct lc_name {
    struct hwl_str name; /* behind "blk.N." where the tensor is of a layer; one with a dot brings its own suffix; two parted by a space */
    enum lc_change change;
};

/* Metadata groups that a family's loader asks for beside the common ones. */
enum lc_keys {
    LC_HEAD_DIM = 1,
    LC_WINDOW = 2,
    LC_EXPERTS_KEYS = 4,
    LC_MLA = 8,
    LC_SSM = 16,
    LC_LAYER_NORM = 32,      /* epsilon of a layer norm, not of an RMS norm */
    LC_SHARED_WIDTH = 64,    /* width of all shared experts */
    LC_LEADING_DENSE = 128,
    LC_PATTERN = 256,        /* one flag a layer: windowed or not */
    LC_HYBRID = 512,         /* layers without attention have 0 key/value heads */
    LC_INDEXER = 1024,
    LC_DELTA = 2048,         /* gated delta net: interval of full attention */
    LC_KDA = 4096,
    LC_SHORT_CONV = 8192,
    LC_BERT = 16384,         /* no causal mask, segment types */
    LC_ENC_DEC = 65536,      /* encoder and decoder under names of their own */
    LC_WINDOW_DIMS = 131072, /* windowed layers have head sizes of their own; layers may share caches and have embeddings of their own */
    LC_NEXTN = 262144,       /* the converter keeps layers for multi-token prediction, behind the stack */
    LC_GATED = 524288,       /* its class reads gated feed-forwards only: the first ChatGLM has none */
    LC_DOUBLE_FF = 32768,    /* feed_forward_length counts gate and up together (Qwen 1) */
};

struct lc_family {
    const char *model_types; /* of configurations, and classes where they tell more, space separated */
    const char *arch;        /* of llama.cpp */
    unsigned keys;           /* enum lc_keys */
    const char *names;       /* "role=name", "role=name:change" or ".suffix=name": where it departs from the common names */
    const char *extra;       /* keys that the loader asks for and whose value moves no byte: "name=f1 name=u2 name=b1 name=a1,2,3"; ":name": global */
};

/* moe: the model has experts; some configurations become one of two architectures by it. NULL: a family that llama.cpp's
 * converter does not know, or that we do not. */
const struct lc_family *hwl_lc_family(const char *model_type, bool moe);
/* True: llama.cpp's converter is known to have no class for it. */
bool hwl_lc_no_family(const char *model_type);
/* Layers of the file: with those for multi-token prediction where the converter keeps them. */
uint32_t hwl_lc_layers(const struct lc_family *family, const struct hwl_model *model);
/* False: no name is known. */
bool hwl_lc_name(const struct lc_family *family, const struct hwl_tensor *tensor, struct lc_name *out);

#endif
