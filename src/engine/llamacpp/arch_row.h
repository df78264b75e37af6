/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWL_LLAMACPP_ARCH_ROW_H
#define HWL_LLAMACPP_ARCH_ROW_H

#include <stdint.h>

/* How an architecture's window is read. */
enum lc_window {
    LC_WIN_NONE,
    LC_WIN_KEY,       /* attention.sliding_window, absent or 0: none */
    LC_WIN_ALWAYS,    /* always a window; the key overrides the default */
    LC_WIN_ARRAY,     /* always, the layers stand in sliding_window_pattern */
    LC_WIN_KEY_ARRAY, /* optional, the layers stand in sliding_window_pattern */
    LC_WIN_LLAMA4,    /* chunks of 8192 unless the key says 0 */
    LC_WIN_EXAONE4,   /* only the model of 64 layers */
    LC_WIN_LFM2,      /* every attention layer where the key is there */
};
/* Which layers are recurrent. */
enum lc_recurrent {
    LC_REC_NONE,
    LC_REC_ALL,
    LC_REC_KV0,     /* head_count_kv 0 */
    LC_REC_KV0_FF0, /* head_count_kv 0 and feed_forward_length 0 */
    LC_REC_EVERY,   /* all but each n-th (full_attention_interval), or attention.recurrent_layers */
};
enum lc_arch_flags {
    LC_PERIOD = 0xf, /* default of full_attention_interval */
    LC_SYMMETRIC = 0x10,
    LC_DENSE_FIRST = 0x20,
    LC_FORCED = 0x40, /* the default window replaces the key's value */
    LC_MLA = 0x80,    /* reads key_length_mla, value_length_mla */
    LC_NO_FA = 0x100,
    LC_KV_FROM_20 = 0x200,
    LC_SHARED_KV = 0x400,
    LC_NEEDS_OTHER = 0x800, /* a draft that cannot run alone */
    LC_BOTH = 0x1000,       /* attention and state in every layer */
    LC_INDEX_ALL = 0x2000,
    LC_INDEX_GLM = 0x4000,
    LC_NO_TIED_COPY = 0x8000,
    LC_ENCODER = 0x10000,
    LC_ROUTER = 0x20000,
    LC_LFM2 = 0x40000,
    LC_DIFFUSION = 0x80000,
    LC_HEAD_LA = 0x100000,
    LC_V_LORA = 0x200000,
    LC_LOOPS = 0x400000,
    LC_MINICPM3 = 0x800000,
    LC_TIED_FIRST = 0x1000000, /* the output's copy is made before the embedding: two on the host as well */
    LC_ROPE_FULL = 0x2000000,  /* only full-attention layers use rope factors */
    LC_ONLY_A_NAME = 0x10000000, /* llama.cpp has no model of that name: it refuses the file */
    LC_DRAFT = 0x20000000,         /* a draft that needs another model for what its file lacks */
    LC_SCAN = 0x8000000,       /* ssm_a is what SSM_SCAN reads */
};

struct lc_arch {
    const char *name;
    uint8_t memory, window, period, recurrent;
    uint32_t n_swa, flags;
};

#endif
