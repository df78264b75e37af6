# SPDX-License-Identifier: Apache-2.0
"""Small models of llama.cpp's architectures: metadata with the widths of published models and few layers, and the optional
tensors that those models have. What an architecture requires is asked of the library itself (llamacpp_truth.py)."""

MODELS = {}


def model(arch, layers, embd, heads, kv, ff, vocab=32000, ctx=131072, add=(), drop=(), name=None, types=None, given=False, **keys):
    md = {"block_count": layers, "context_length": ctx, "embedding_length": embd, "feed_forward_length": ff,
          "attention.head_count": heads, "attention.head_count_kv": kv, "vocab_size": vocab,
          "attention.layer_norm_rms_epsilon": 1e-6, "attention.layer_norm_epsilon": 1e-5}
    md.update({k.replace("__", "."): v for k, v in keys.items()})
    md = {k: v for k, v in md.items() if v is not None}
    MODELS[name or arch] = {"arch": arch, "metadata": md, "add": list(add), "drop": list(drop), "types": types or {}, "given": given}


def out(embd, vocab=32000):
    return [("output.weight", embd, vocab)]


def each(layers, *rows):
    return [(f"blk.{i}." + r[0], *r[1:]) for i in range(layers) for r in rows]


def only(layers, *rows):
    return [(f"blk.{i}." + r[0], *r[1:]) for i in layers for r in rows]


def qkv_bias(layers, q, kv, v=None):
    return each(layers, ("attn_q.bias", q), ("attn_k.bias", kv), ("attn_v.bias", v or kv))


ROT = {"rope__dimension_count": 128}
HD = {"attention__key_length": 128, "attention__value_length": 128, **ROT}

# dense decoders
model("llama", 6, 2048, 32, 8, 3584, add=each(6, ("ffn_gate_inp.weight", 2048, 8), ("ffn_gate_exps.weight", 2048, 3584, 8),
      ("ffn_up_exps.weight", 2048, 3584, 8), ("ffn_down_exps.weight", 3584, 2048, 8)), name="llama-moe", expert_count=8, expert_used_count=2, drop=["ffn_(gate|up|down).weight"])
model("llama4", 8, 5120, 40, 8, 16384, vocab=202048, add=out(5120, 202048), **HD, expert_feed_forward_length=8192, expert_count=16,
      expert_used_count=1, interleave_moe_layer_step=1)
model("llama4", 8, 5120, 40, 8, 16384, vocab=202048, add=out(5120, 202048), name="llama4-maverick", **HD, expert_feed_forward_length=8192, expert_count=32,
      expert_used_count=1, interleave_moe_layer_step=2)
model("deci", 8, 8192, [64, 64, 0, 64, 0, 64, 64, 64], [8, 8, 0, 8, 0, 8, 8, 8], [28672, 5632, 28672, 0, 14336, 0, 28672, 28672], vocab=128256,
      add=out(8192, 128256) + [("rope_freqs.weight", 64)], rope__dimension_count=128)
model("gptneox", 6, 4096, 32, 32, 16384, vocab=50432, use_parallel_residual=True, rope__dimension_count=128)
model("gptneox", 6, 6144, 64, 64, 24576, vocab=50432, name="gptneox-serial", use_parallel_residual=False, rope__dimension_count=24)
model("baichuan", 32, 4096, 32, 32, 11008, vocab=64000, rope__dimension_count=128)
model("baichuan", 40, 5120, 40, 40, 13696, vocab=64000, name="baichuan-13b", rope__dimension_count=128)
model("refact", 6, 2048, 32, 1, 5632, vocab=49216)
model("bloom", 6, 4096, 32, 32, 16384, vocab=250880)
model("stablelm", 6, 2048, 32, 32, 5632, vocab=100352, rope__dimension_count=16, use_parallel_residual=False)
model("stablelm", 6, 5120, 32, 8, 13824, vocab=100352, name="stablelm-12b", rope__dimension_count=40, use_parallel_residual=True,
      drop=[r"ffn_norm"], add=each(6, ("attn_q_norm.weight", 160, 32), ("attn_k_norm.weight", 160, 8)))
model("qwen", 6, 4096, 32, 32, 22016, vocab=151936, rope__dimension_count=128)
model("qwen2vl", 6, 3584, 28, 4, 18944, vocab=152064, add=out(3584, 152064) + qkv_bias(6, 3584, 512), **ROT, rope__dimension_sections=[16, 24, 24, 0])
model("phimoe", 4, 4096, 32, 8, 6400, vocab=32064, **ROT, expert_count=16, expert_used_count=2, rope__scaling__original_context_length=4096,
      add=[("rope_factors_long.weight", 64), ("rope_factors_short.weight", 64)] + qkv_bias(4, 4096, 1024))
model("plamo", 6, 5120, 40, 5, 13824, vocab=50432, **ROT)
model("plamo3", 8, 2560, 16, 4, 8192, vocab=107392, **HD, attention__sliding_window=2048)
model("codeshell", 6, 4096, 32, 8, 16384, vocab=70144, **ROT, add=[("token_embd.weight", 4096, 70144)])
model("orion", 6, 5120, 40, 40, 15360, vocab=84608, **ROT)
model("internlm2", 6, 4096, 32, 8, 14336, vocab=92544, **ROT)
model("minicpm", 6, 2304, 36, 36, 5760, vocab=122753, rope__dimension_count=64)
model("gemma3n", 35, 2048, 8, 2, 16384, vocab=262144, **{**HD, "attention__key_length": 256, "attention__value_length": 256, "rope__dimension_count": 256},
      attention__sliding_window=512, embedding_length_per_layer_input=256, altup__num_inputs=4, altup__active_idx=0, activation_sparsity_scale=[1.6448535919189453] * 10 + [float("-inf")] * 25)
model("starcoder2", 6, 4608, 36, 4, 18432, vocab=49152, **ROT, add=qkv_bias(6, 4608, 512))
model("xverse", 6, 4096, 32, 32, 11008, vocab=100534, **ROT)
model("cohere2", 8, 4096, 32, 8, 14336, vocab=256000, **ROT, attention__sliding_window=4096, logit_scale=0.25)
model("olmoe", 4, 2048, 16, 16, 1024, vocab=50304, **ROT, expert_count=64, expert_used_count=8)
model("openelm", 8, 2048, [12, 12, 12, 16, 16, 20, 20, 24], [3, 3, 3, 4, 4, 5, 5, 6], [1024, 1536, 2048, 3072, 4096, 5120, 6144, 8192], **HD)
model("exaone", 6, 4096, 32, 8, 14336, vocab=102400, **ROT, add=out(4096, 102400) + [("rope_freqs.weight", 64)])
model("exaone4", 6, 2048, 32, 8, 4096, vocab=102400, rope__dimension_count=64, add=[("rope_freqs.weight", 32)])
model("exaone4", 64, 5120, 40, 8, 27392, vocab=102400, name="exaone4-32b", **ROT, attention__sliding_window=4096, add=out(5120, 102400) + [("rope_freqs.weight", 64)])
model("exaone-moe", 8, 6144, 64, 8, 18432, vocab=153600, **HD, attention__sliding_window=128, expert_count=128, expert_used_count=8, expert_feed_forward_length=2048,
      expert_shared_count=1, expert_gating_func=2, expert_weights_norm=True, expert_weights_scale=2.5, leading_dense_block_count=1, add=out(6144, 153600))
model("granitemoe", 6, 1536, 24, 8, 512, vocab=49155, rope__dimension_count=64, expert_count=40, expert_used_count=8, logit_scale=6.0, residual_scale=0.22,
      embedding_scale=12.0, attention__scale=0.015625, add=each(6, ("ffn_gate_exps.weight", 1536, 512, 40)))
model("granite_swa", 8, 4096, 32, 8, 12800, vocab=49155, **ROT, logit_scale=6.0, residual_scale=0.22, embedding_scale=12.0, attention__scale=0.0078125,
      attention__sliding_window=4096, attention__sliding_window_pattern=[True, True, True, False] * 2)
model("granite", 4, 2048, 32, 8, 8192, vocab=49155, rope__dimension_count=64, logit_scale=8.0, residual_scale=0.22, embedding_scale=12.0, attention__scale=0.015625, rope__scaling__finetuned=False)
model("chameleon", 6, 4096, 32, 32, 11008, vocab=65536, **ROT)
model("plm", 6, 2048, 16, 16, 8192, vocab=151936, attention__kv_lora_rank=512, attention__key_length=192, attention__value_length=128, rope__dimension_count=64)
model("bailingmoe2", 6, 2048, 16, 4, 5120, vocab=157184, **HD, expert_count=256, expert_used_count=8, expert_feed_forward_length=512, expert_shared_count=1,
      expert_gating_func=2, expert_weights_norm=True, expert_weights_scale=2.5, leading_dense_block_count=1, expert_group_count=8, expert_group_used_count=4,
      add=out(2048, 157184) + each(6, ("exp_probs_b.bias", 256))[1:])
model("dots1", 6, 4096, 32, 32, 10944, vocab=152064, **HD, expert_count=128, expert_used_count=6, expert_feed_forward_length=1408, expert_shared_count=2,
      expert_gating_func=2, expert_weights_norm=True, expert_weights_scale=2.5, leading_dense_block_count=1, add=out(4096, 152064) + each(6, ("exp_probs_b.bias", 128))[1:])
model("ernie4_5", 6, 1024, 16, 2, 3072, vocab=103424, **HD)
model("smollm3", 8, 2048, 16, 4, 11008, vocab=128256, **ROT)
model("grovemoe", 4, 2048, 32, 4, 6144, vocab=151936, **HD, expert_count=128, expert_used_count=8, expert_feed_forward_length=768, expert_chunk_feed_forward_length=128,
      expert_group_scale=0.05, experts_per_group=2, add=out(2048, 151936))
model("apertus", 6, 4096, 32, 8, 21504, vocab=131072, **ROT, xielu__alpha_n=[0.8] * 6, xielu__alpha_p=[0.8] * 6, xielu__beta=[0.5] * 6, xielu__eps=[-1e-6] * 6,
      add=out(4096, 131072))
model("minimax-m2", 4, 3072, 48, 8, 1536, vocab=200064, **{**HD, "rope__dimension_count": 64}, expert_count=64, expert_used_count=8, expert_feed_forward_length=1536, expert_gating_func=2,
      add=out(3072, 200064) + each(4, ("exp_probs_b.bias", 64)))
model("cogvlm", 4, 4096, 32, 32, 14336, **ROT)
model("pangu-embedded", 6, 4096, 32, 8, 12800, vocab=153376, **ROT, add=qkv_bias(6, 4096, 1024) + each(6, ("attn_output.bias", 4096)))
model("mistral3", 6, 4096, 32, 8, 14336, vocab=131072, **HD, add=out(4096, 131072))
model("mistral3", 6, 4096, 32, 8, 14336, vocab=131072, name="mistral3-temp", **HD, attention__temperature_scale=0.1, rope__scaling__original_context_length=16384, rope__scaling__type="yarn",
      rope__scaling__factor=16.0, rope__scaling__yarn_log_multiplier=1.0, add=out(4096, 131072))
model("mistral4", 4, 4096, 32, 1, 12288, vocab=131072, attention__q_lora_rank=1024, attention__kv_lora_rank=256, attention__key_length=320, attention__value_length=256,
      attention__key_length_mla=128, attention__value_length_mla=128, rope__dimension_count=64, expert_count=128, expert_used_count=4, expert_feed_forward_length=2048,
      expert_shared_count=1, leading_dense_block_count=0, expert_gating_func=1, expert_weights_norm=True, attention__temperature_scale=0.1, rope__scaling__original_context_length=8192,
      add=out(4096, 131072))
model("mimo2", 8, 4096, 64, [4, 8, 8, 8, 4, 8, 8, 4], 16384, vocab=152576, attention__key_length=192, attention__value_length=128, rope__dimension_count=64,
      expert_count=64, expert_used_count=8, expert_feed_forward_length=2048, attention__sliding_window=128,
      attention__sliding_window_pattern=[False, True, True, True, False, True, True, False], leading_dense_block_count=1, expert_gating_func=2, expert_weights_norm=True,
      add=out(4096, 152576) + each(1, ("ffn_gate.weight", 4096, 16384), ("ffn_up.weight", 4096, 16384), ("ffn_down.weight", 16384, 4096)) +
      only([1, 2, 3, 5, 6], ("attn_sinks.weight", 64)) + only(range(1, 8), ("ffn_gate_inp.weight", 4096, 64), ("exp_probs_b.bias", 64), ("ffn_gate_exps.weight", 4096, 2048, 64),
      ("ffn_up_exps.weight", 4096, 2048, 64), ("ffn_down_exps.weight", 2048, 4096, 64)))
model("mellum", 8, 2304, 32, 4, 7168, vocab=98304, **HD, expert_count=64, expert_used_count=8, expert_feed_forward_length=896, attention__sliding_window=1024)
model("maincoder", 6, 1536, 16, 4, 4096, vocab=151936, **{**HD, "attention__key_length": 96, "attention__value_length": 96, "rope__dimension_count": 96})
model("jais2", 6, 3328, 26, 26, 26624, vocab=150272, **ROT)
model("hunyuan_vl", 6, 1024, 16, 8, 3584, vocab=120818, **HD, rope__dimension_sections=[16, 16, 16, 16])
model("paddleocr", 6, 1024, 16, 2, 3072, vocab=103424, **HD, rope__dimension_sections=[16, 24, 24, 0])
model("hy_v3", 4, 4096, 64, 8, 13312, vocab=120832, **HD, expert_count=64, expert_used_count=8, expert_feed_forward_length=1536, expert_shared_feed_forward_length=1536, leading_dense_block_count=1,
      expert_weights_norm=True, add=each(1, ("ffn_gate.weight", 4096, 13312), ("ffn_up.weight", 4096, 13312), ("ffn_down.weight", 13312, 4096)) +
      only(range(1, 4), ("ffn_gate_inp.weight", 4096, 64), ("exp_probs_b", 64), ("ffn_gate_exps.weight", 4096, 1536, 64), ("ffn_up_exps.weight", 4096, 1536, 64),
      ("ffn_down_exps.weight", 1536, 4096, 64), ("ffn_gate_shexp.weight", 4096, 1536), ("ffn_up_shexp.weight", 4096, 1536), ("ffn_down_shexp.weight", 1536, 4096)))
model("talkie", 6, 2048, 16, 16, 8192, **HD, logit_scale=0.5)
model("nanbeige", 4, 2560, 20, 4, 10496, vocab=166144, **HD, num_loops=2)
model("spark2_5", 8, 2048, 32, 2, 9216, vocab=160000, **HD, attention__sliding_window=1024, attention__sliding_window_pattern=[True, True, True, False] * 2)
model("muse-glimmer", 8, 2048, 16, 4, 8192, **HD, attention__sliding_window=512, logit_scale=0.5)
model("hrm_text", 8, 1024, 8, 8, 4096, **HD, hrm__layers_per_stack=2, hrm__h_cycles=1, hrm__l_cycles=3)
model("laguna", 8, 3072, 32, 8, 8192, vocab=100352, **HD, leading_dense_block_count=1, expert_count=64, expert_used_count=8, expert_feed_forward_length=1024, expert_shared_feed_forward_length=1024,
      attention__sliding_window=512)
model("cohere2moe", 8, 4096, 32, 8, 12288, vocab=256000, **ROT, attention__sliding_window=4096, logit_scale=0.25, leading_dense_block_count=1, expert_count=64, expert_used_count=8,
      expert_feed_forward_length=1536, attention__layer_norm_rms_epsilon=None, expert_shared_count=1, expert_shared_feed_forward_length=3072, expert_weights_norm=True)
model("maple", 8, 2048, 16, 4, 4096, **HD, attention__sliding_window=512, expert_count=64, expert_used_count=8, expert_feed_forward_length=768,
      attention__sliding_window_pattern=[True, True, True, False] * 2, swiglu_clamp_exp=[7.0] * 8)
model("gptj", 4, 4096, 16, 16, 16384, vocab=50400, rope__dimension_count=64)
model("qwen3tts", 4, 1024, 16, 8, 3072, vocab=3072, **HD, rope__dimension_sections=[24, 20, 20, 0])
model("gemma4-assistant", 4, 1024, 4, 1, 2048, vocab=262144, attention__key_length=256, attention__value_length=256, attention__key_length_swa=256, attention__value_length_swa=256, rope__dimension_count=256, rope__dimension_count_swa=256,
      attention__sliding_window=512, attention__sliding_window_pattern=[True, True, True, False], embedding_length_out=2560)
model("gemma4", 6, 2816, 16, [8] * 5 + [2], 2112, vocab=262144, ctx=262144, name="gemma4-moe", attention__key_length=512, attention__value_length=512, attention__key_length_swa=256,
      attention__value_length_swa=256, rope__dimension_count=512, rope__dimension_count_swa=256, embedding_length_per_layer_input=0, attention__shared_kv_layers=0, attention__sliding_window=1024,
      attention__sliding_window_pattern=[True] * 5 + [False], final_logit_softcapping=30.0, expert_count=128, expert_used_count=8, expert_feed_forward_length=704,
      add=[("rope_freqs.weight", 256)] + only(range(5), ("attn_v.weight", 2816, 2048)) +
      each(6, ("ffn_gate_inp.weight", 2816, 128), ("ffn_gate_inp.scale", 2816), ("pre_ffw_norm_2.weight", 2816), ("post_ffw_norm_1.weight", 2816), ("post_ffw_norm_2.weight", 2816),
           ("ffn_gate_up_exps.weight", 2816, 1408, 128), ("ffn_down_exps.weight", 704, 2816, 128), ("ffn_down_exps.scale", 128), ("layer_output_scale.weight", 1)))
model("eagle3", 1, 4096, 32, 8, 14336, vocab=32000, **ROT, target_layers=[2, 16, 29], extract_layers=[2, 16, 29], target_hidden_size=4096)
# latent attention, experts
model("deepseek2-ocr", 4, 1280, 10, 10, 6848, vocab=129280, **ROT, expert_count=64, expert_used_count=6, expert_feed_forward_length=896, expert_shared_count=2, leading_dense_block_count=1)
model("deepseek32", 4, 7168, 128, 1, 18432, vocab=129280, attention__q_lora_rank=1536, attention__kv_lora_rank=512, attention__key_length=576, attention__value_length=512,
      attention__key_length_mla=192, attention__value_length_mla=128, rope__dimension_count=64, expert_count=64, expert_used_count=8, expert_feed_forward_length=2048, expert_shared_count=1,
      leading_dense_block_count=1, expert_gating_func=2, expert_weights_norm=True, expert_weights_scale=2.5, expert_group_count=8, expert_group_used_count=4,
      attention__indexer__head_count=64, attention__indexer__key_length=128, attention__indexer__top_k=2048, add=out(7168, 129280) + each(4, ("exp_probs_b.bias", 64))[1:])
model("glm-dsa", 5, 6144, 64, 1, 12288, vocab=154880, ctx=202752, attention__q_lora_rank=2048, attention__kv_lora_rank=512, attention__key_length=576, attention__value_length=512,
      attention__key_length_mla=256, attention__value_length_mla=256, rope__dimension_count=64, expert_count=64, expert_used_count=8, expert_feed_forward_length=2048, expert_shared_count=1,
      leading_dense_block_count=2, nextn_predict_layers=1, expert_gating_func=2, expert_weights_norm=True, expert_weights_scale=2.5,
      attention__indexer__head_count=32, attention__indexer__key_length=128, attention__indexer__top_k=2048, add=out(6144, 154880) + each(5, ("exp_probs_b.bias", 64))[2:] +
      each(5, ("indexer.k_norm.weight", 128), ("indexer.k_norm.bias", 128), ("indexer.proj.weight", 6144, 32), ("indexer.attn_k.weight", 6144, 128), ("indexer.attn_q_b.weight", 2048, 4096)))
IDX = [("indexer.k_norm.weight", 128), ("indexer.k_norm.bias", 128), ("indexer.proj.weight", 6144, 32), ("indexer.attn_k.weight", 6144, 128), ("indexer.attn_q_b.weight", 2048, 4096)]
model("glm-dsa", 9, 6144, 64, 1, 12288, vocab=154880, ctx=1048576, name="glm-dsa-shared", attention__q_lora_rank=2048, attention__kv_lora_rank=512, attention__key_length=576, attention__value_length=512,
      attention__key_length_mla=256, attention__value_length_mla=256, rope__dimension_count=64, expert_count=64, expert_used_count=8, expert_feed_forward_length=2048, expert_shared_count=1,
      leading_dense_block_count=3, expert_gating_func=2, expert_weights_norm=True, expert_weights_scale=2.5,
      attention__indexer__head_count=32, attention__indexer__key_length=128, attention__indexer__top_k=2048, add=out(6144, 154880) + only(range(3, 9), ("exp_probs_b.bias", 64)) + only([0, 1, 2, 6], *IDX))
model("deepseek32", 3, 2048, 32, 1, 4096, vocab=32000, name="deepseek32-16", attention__q_lora_rank=768, attention__kv_lora_rank=512, attention__key_length=576, attention__value_length=512,
      attention__key_length_mla=192, attention__value_length_mla=128, rope__dimension_count=64, expert_count=32, expert_used_count=4, expert_feed_forward_length=512, expert_shared_count=1,
      leading_dense_block_count=1, expert_gating_func=2, expert_weights_norm=True, expert_weights_scale=2.5, attention__indexer__head_count=16, attention__indexer__key_length=128, attention__indexer__top_k=1024)
model("glm4moe", 5, 4096, 96, 8, 10944, vocab=151552, **{**HD, "rope__dimension_count": 64}, expert_count=64, expert_used_count=8, expert_feed_forward_length=1408, expert_shared_count=1,
      leading_dense_block_count=1, nextn_predict_layers=1, expert_gating_func=2, expert_weights_norm=True, expert_weights_scale=1.0, add=out(4096, 151552) + qkv_bias(5, 12288, 1024) + each(5, ("exp_probs_b.bias", 64))[1:])
# with state
RECR8 = [0, 1, 2, 4, 5, 6]
SSM = {"ssm__conv_kernel": 4}
GDN = {**SSM, "ssm__inner_size": 4096, "ssm__state_size": 128, "ssm__time_step_rank": 32, "ssm__group_count": 16}
model("qwen3next", 8, 2048, 16, 2, 5120, vocab=151936, **{**HD, "attention__key_length": 256, "attention__value_length": 256, "rope__dimension_count": 64}, **GDN, expert_count=128, expert_used_count=10,
      expert_feed_forward_length=512, expert_shared_feed_forward_length=512, add=out(2048, 151936) + only(RECR8, ("attn_qkv.weight", 2048, 8192), ("attn_gate.weight", 2048, 4096)))
model("qwen3next", 4, 2048, 16, 2, 5120, vocab=151936, name="qwen3next-old", **{**HD, "attention__key_length": 256, "attention__value_length": 256, "rope__dimension_count": 64}, **GDN, expert_count=64, expert_used_count=10,
      expert_feed_forward_length=512, expert_shared_feed_forward_length=512, add=out(2048, 151936) + only([0, 1, 2], ("ssm_in.weight", 2048, 12288)))
model("qwen35moe", 8, 2048, 16, 2, 5120, vocab=248320, **{**HD, "attention__key_length": 256, "attention__value_length": 256, "rope__dimension_count": 64}, **GDN, expert_count=128, expert_used_count=8,
      expert_feed_forward_length=512, expert_shared_feed_forward_length=512, rope__dimension_sections=[11, 11, 10, 0], add=out(2048, 248320) + only(RECR8, ("attn_qkv.weight", 2048, 8192), ("attn_gate.weight", 2048, 4096)))
MTP8 = [0, 1, 2, 4, 5, 6]
model("qwen35moe", 9, 2048, 16, 2, 5120, vocab=248320, name="qwen35moe-mtp", **{**HD, "attention__key_length": 256, "attention__value_length": 256, "rope__dimension_count": 64}, **GDN, expert_count=128, expert_used_count=8,
      expert_feed_forward_length=512, expert_shared_feed_forward_length=512, rope__dimension_sections=[11, 11, 10, 0], nextn_predict_layers=1,
      add=out(2048, 248320) + only(MTP8, ("attn_qkv.weight", 2048, 8192), ("attn_gate.weight", 2048, 4096)))
model("qwen35", 9, 2560, 16, 4, 9216, vocab=248320, name="qwen35-mtp", **{**HD, "attention__key_length": 256, "attention__value_length": 256, "rope__dimension_count": 64}, **GDN,
      rope__dimension_sections=[11, 11, 10, 0], nextn_predict_layers=1, add=only(MTP8, ("attn_qkv.weight", 2560, 8192), ("attn_gate.weight", 2560, 4096)))
model("mamba2", 6, 2560, 0, 0, 0, vocab=50288, **SSM, ssm__inner_size=5120, ssm__state_size=128, ssm__time_step_rank=80, ssm__group_count=1)
model("jamba", 8, 4096, 32, [0, 0, 0, 8, 0, 0, 0, 8], 14336, vocab=65536, **SSM, ssm__inner_size=8192, ssm__state_size=16, ssm__time_step_rank=256, expert_count=16, expert_used_count=2,
      add=out(4096, 65536), jamba_moe=None)
model("granitehybrid", 10, 1536, 12, [0, 0, 0, 0, 4, 0, 0, 0, 0, 4], 512, vocab=100352, **SSM, ssm__inner_size=3072, ssm__state_size=128, ssm__time_step_rank=48, ssm__group_count=1,
      logit_scale=6.0, residual_scale=0.22, embedding_scale=12.0, attention__scale=0.0078125, expert_count=64, expert_used_count=6, expert_shared_feed_forward_length=1024, rope__dimension_count=128,
      add=each(10, ("ffn_gate_exps.weight", 1536, 512, 64)) + only([0, 1, 2, 3, 5, 6, 7, 8], ("ssm_conv1d.bias", 3328)))
model("granitehybrid", 6, 1536, 12, [0, 0, 4, 0, 0, 4], 512, vocab=100352, name="granitehybrid-nope", **SSM, ssm__inner_size=3072, ssm__state_size=128, ssm__time_step_rank=48, ssm__group_count=1,
      logit_scale=6.0, residual_scale=0.22, embedding_scale=12.0, attention__scale=0.0078125, rope__dimension_count=128, rope__scaling__finetuned=False, add=only([0, 1, 3, 4], ("ssm_conv1d.bias", 3328)))
model("granitehybrid", 10, 2048, 32, [0, 0, 0, 0, 8, 0, 0, 0, 0, 8], 8192, vocab=100352, name="granitehybrid-dense", **SSM, ssm__inner_size=4096, ssm__state_size=128, ssm__time_step_rank=64, ssm__group_count=1,
      logit_scale=6.0, residual_scale=0.22, embedding_scale=12.0, attention__scale=0.0078125, rope__dimension_count=64,
      add=only([0, 1, 2, 3, 5, 6, 7, 8], ("ssm_conv1d.bias", 4352)))
model("falcon-h1", 6, 3072, 12, 2, 12288, vocab=261120, **HD, **SSM, ssm__inner_size=3072, ssm__state_size=256, ssm__time_step_rank=24, ssm__group_count=2, add=out(3072, 261120) + each(6, ("ssm_conv1d.bias", 4096), ("ssm_norm.weight", 1536, 2)))
model("nemotron_h", 8, 4480, 40, [0, 0, 0, 8, 0, 0, 0, 0], [0, 15680, 0, 0, 15680, 0, 15680, 0], vocab=131072, **HD, **SSM, ssm__inner_size=10240, ssm__state_size=128,
      ssm__time_step_rank=128, ssm__group_count=8, add=out(4480, 131072) + only([0, 2, 5, 7], ("ssm_conv1d.bias", 12288)))
model("plamo2", 8, 2048, 32, [0, 4] * 4, 8192, vocab=100032, **HD, **SSM, ssm__inner_size=4096, ssm__state_size=64, ssm__time_step_rank=32, ssm__group_count=0)
model("kimi-linear", 8, 2304, 32, [0, 0, 0, 1, 0, 0, 0, 1], 9216, vocab=163840, attention__key_length=576, attention__value_length=512, attention__key_length_mla=192, attention__value_length_mla=128,
      attention__kv_lora_rank=512, rope__dimension_count=64, **SSM, kda__head_dim=128, expert_count=64, expert_used_count=8, expert_feed_forward_length=1024, expert_shared_count=1, leading_dense_block_count=1,
      expert_gating_func=2, expert_weights_scale=2.446,
      add=out(2304, 163840) + only(range(1, 8), ("exp_probs_b.bias", 64), ("ffn_gate_shexp.weight", 2304, 1024), ("ffn_up_shexp.weight", 2304, 1024), ("ffn_down_shexp.weight", 1024, 2304)))
model("lfm2", 8, 2048, 32, [0, 0, 8, 0, 0, 8, 0, 8], 8192, vocab=65536, rope__dimension_count=64, shortconv__l_cache=3)
model("rwkv6", 6, 2560, 0, 0, 8960, vocab=65536, wkv__head_size=64, time_mix_extra_dim=32, time_decay_extra_dim=64, rescale_every_n_layers=2,
      given=True, add=each(6, ("time_mix_lerp_fused.weight", 2560, 1, 1, 5)))
model("rwkv6qwen2", 4, 3584, 56, 8, 18944, vocab=152064, wkv__head_size=64, time_mix_extra_dim=64, time_decay_extra_dim=96, token_shift_count=1)
model("arwkv7", 4, 1536, 24, 24, 8960, vocab=151936, wkv__head_size=64, attention__decay_lora_rank=96, attention__iclr_lora_rank=96, attention__value_residual_mix_lora_rank=64, token_shift_count=1, attention__gate_lora_rank=128,
      add=each(4, ("time_mix_g1.weight", 1536, 128), ("time_mix_g2.weight", 128, 1536)))
# without a cache
ENC = {"attention__causal": False, "pooling_type": 1, "tokenizer__ggml__token_type_count": 2}
model("nomic-bert", 4, 768, 12, 12, 3072, vocab=30522, ctx=2048, **ENC, rope__dimension_count=64)
model("nomic-bert-moe", 4, 768, 12, 12, 3072, vocab=250048, ctx=2048, **ENC, moe_every_n_layers=2, expert_count=8, expert_used_count=2, rope__dimension_count=64)
model("modern-bert", 7, 768, 12, 12, 1152, vocab=50368, ctx=8192, **ENC, attention__sliding_window=128, rope__dimension_count=64)
model("neo-bert", 4, 768, 12, 12, 2048, vocab=30522, ctx=4096, **ENC, rope__dimension_count=64)
model("jina-bert-v3", 4, 1024, 16, 16, 4096, vocab=250002, ctx=8192, **ENC, rope__dimension_count=64)
model("eurobert", 4, 768, 12, 12, 3072, vocab=128256, ctx=8192, **ENC, rope__dimension_count=64)
model("gemma-embedding", 6, 768, 3, 1, 1152, vocab=262144, ctx=2048, pooling_type=1, attention__key_length=256, attention__value_length=256, rope__dimension_count=256, attention__sliding_window=512)
model("llama-embed", 4, 2048, 32, 8, 8192, vocab=128256, ctx=131072, **ENC, rope__dimension_count=64)
model("dream", 4, 3584, 28, 4, 18944, vocab=152064, **ROT, add=out(3584, 152064) + qkv_bias(4, 3584, 512))
model("llada", 4, 4096, 32, 32, 12288, vocab=126464, **ROT, add=out(4096, 126464))
model("llada-moe", 4, 2048, 16, 16, 8192, vocab=157184, **HD, expert_count=64, expert_used_count=8, expert_feed_forward_length=1024)
model("rnd1", 4, 2048, 32, 4, 6144, vocab=151936, **HD, expert_count=64, expert_used_count=8, expert_feed_forward_length=768, add=out(2048, 151936))
model("t5encoder", 4, 1024, 16, 16, 2816, vocab=32128, ctx=512, pooling_type=1, attention__causal=False, attention__key_length=64, attention__value_length=64, attention__relative_buckets_count=32,
      add=[(f"enc.blk.{i}.ffn_gate.weight", 1024, 2816) for i in range(4)] + [("enc.blk.0.attn_rel_b.weight", 16, 32)])
