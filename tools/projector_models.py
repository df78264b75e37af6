# SPDX-License-Identifier: Apache-2.0
"""Image projectors as llama.cpp's converter would write them, small in number of layers or true to a published model: name ->
(metadata, tensors). tests/compare_projectors.py plans them; their answers were asked of libmtmd (0c1e57098) on the libraries of
v0.5.0: clip_init with no_alloc on the host and on a device that answers as CUDA does, clip_get_mem_usage."""
MEAN=[0.5,0.5,0.5]
def vit(n,e,ff,*,fused=True,bias=True,t="q8_0",norm_bias=True,names=("ln1","ln2"),gate=False):
    r=[]
    for i in range(n):
        p=f"v.blk.{i}."
        for l in names:
            r.append([p+l+".weight","f32",e])
            if norm_bias: r.append([p+l+".bias","f32",e])
        if fused:
            r.append([p+"attn_qkv.weight",t,e,3*e])
            if bias: r.append([p+"attn_qkv.bias","f32",3*e])
        else:
            for q in "qkv":
                r.append([p+f"attn_{q}.weight",t,e,e])
                if bias: r.append([p+f"attn_{q}.bias","f32",e])
        r.append([p+"attn_out.weight",t,e,e])
        if bias: r.append([p+"attn_out.bias","f32",e])
        r.append([p+"ffn_up.weight",t,e,ff])
        if bias: r.append([p+"ffn_up.bias","f32",ff])
        if gate:
            r.append([p+"ffn_gate.weight",t,e,ff])
            if bias: r.append([p+"ffn_gate.bias","f32",ff])
        r.append([p+"ffn_down.weight",t if ff%32==0 else "f16",ff,e])
        if bias: r.append([p+"ffn_down.bias","f32",e])
    return r
def base(proj,n,e,ff,heads,img,patch,dim,**more):
    md={"clip.has_vision_encoder":True,"clip.projector_type":proj,"clip.vision.image_size":img,"clip.vision.patch_size":patch,"clip.vision.embedding_length":e,
        "clip.vision.feed_forward_length":ff,"clip.vision.block_count":n,"clip.vision.attention.head_count":heads,"clip.vision.attention.layer_norm_epsilon":1e-6,
        "clip.vision.projection_dim":dim,"clip.vision.image_mean":MEAN,"clip.vision.image_std":MEAN,"clip.use_gelu":True}
    md.update(more); return md
MODELS = {}
# Qwen3-VL / Qwen3.5 (no deepstack in 3.5)
def qwen3vl(n,e,ff,h,dim,deep=()):
    md=base("qwen3vl_merger",n,e,ff,h,768,16,dim,**{"clip.vision.spatial_merge_size":2,"clip.vision.is_deepstack_layers":[i in deep for i in range(n)]})
    t=[["v.patch_embd.weight","f16",16,16,3,e],["v.patch_embd.weight.1","f16",16,16,3,e],["v.patch_embd.bias","f32",e],["v.position_embd.weight","f32",e,2304]]
    t+=vit(n,e,ff)+[["v.post_ln.weight","f32",e],["v.post_ln.bias","f32",e],["mm.0.weight","q8_0",4*e,4*e],["mm.0.bias","f32",4*e],["mm.2.weight","q8_0",4*e,dim],["mm.2.bias","f32",dim]]
    for i in deep:
        t+=[[f"v.deepstack.{i}.norm.weight","f32",4*e],[f"v.deepstack.{i}.norm.bias","f32",4*e],[f"v.deepstack.{i}.fc1.weight","q8_0",4*e,4*e],[f"v.deepstack.{i}.fc1.bias","f32",4*e],[f"v.deepstack.{i}.fc2.weight","q8_0",4*e,dim],[f"v.deepstack.{i}.fc2.bias","f32",dim]]
    return md,t
MODELS["qwen35"]=qwen3vl(27,1152,4304,16,2048)
MODELS["qwen3vl-4b"]=qwen3vl(24,1024,4096,16,2560,(5,11,17))
md=base("qwen2.5vl_merger",32,1280,3420,16,560,14,3584,**{"clip.vision.n_wa_pattern":8,"clip.use_silu":True}); md.pop("clip.use_gelu")
t=[["v.patch_embd.weight","f16",14,14,3,1280],["v.patch_embd.weight.1","f16",14,14,3,1280]]+vit(32,1280,3420,fused=False,norm_bias=False,gate=True,t="f16")+[["v.post_ln.weight","f32",1280],["mm.0.weight","f16",5120,5120],["mm.0.bias","f32",5120],["mm.2.weight","f16",5120,3584],["mm.2.bias","f32",3584]]
MODELS["qwen25vl"]=(md,t)
md=base("gemma3",27,1152,4304,16,896,14,2560)
t=[["v.patch_embd.weight","f16",14,14,3,1152],["v.patch_embd.bias","f32",1152],["v.position_embd.weight","f32",1152,4096]]+vit(27,1152,4304,fused=False,t="f16")+[["v.post_ln.weight","f32",1152],["v.post_ln.bias","f32",1152],["mm.input_projection.weight","f16",2560,1152],["mm.soft_emb_norm.weight","f32",1152]]
MODELS["gemma3"]=(md,t)
md=base("pixtral",24,1024,4096,16,1540,14,5120,**{"clip.vision.spatial_merge_size":2,"clip.use_silu":True}); md.pop("clip.use_gelu")
t=[["v.patch_embd.weight","f16",14,14,3,1024],["v.pre_ln.weight","f32",1024]]+vit(24,1024,4096,fused=False,bias=False,norm_bias=False,gate=True,t="f16")+[["mm.1.weight","f16",1024,5120],["mm.2.weight","f16",5120,5120],["mm.patch_merger.weight","f16",4096,1024],["mm.input_norm.weight","f32",1024],["v.token_embd.img_break","f32",5120]]
MODELS["pixtral"]=(md,t)
md=base("idefics3",12,768,3072,12,512,16,576,**{"clip.vision.projector.scale_factor":4})
t=[["v.patch_embd.weight","f16",16,16,3,768],["v.patch_embd.bias","f32",768],["v.position_embd.weight","f32",768,1024]]+vit(12,768,3072,fused=False,t="f16")+[["v.post_ln.weight","f32",768],["v.post_ln.bias","f32",768],["mm.model.fc.weight","f16",12288,576]]
MODELS["idefics3"]=(md,t)
md=base("internvl",24,1024,4096,16,448,14,4096,**{"clip.vision.projector.scale_factor":2})
t=[["v.class_embd","f32",1024],["v.patch_embd.weight","f16",14,14,3,1024],["v.patch_embd.bias","f32",1024],["v.position_embd.weight","f32",1024,1025]]+vit(24,1024,4096,t="f16")+[["mm.model.mlp.0.weight","f32",4096],["mm.model.mlp.0.bias","f32",4096],["mm.model.mlp.1.weight","f16",4096,4096],["mm.model.mlp.1.bias","f32",4096],["mm.model.mlp.3.weight","f16",4096,4096],["mm.model.mlp.3.bias","f32",4096]]
for i in range(24): t+=[[f"v.blk.{i}.ls1.weight","f32",1024],[f"v.blk.{i}.ls2.weight","f32",1024]]
MODELS["internvl"]=(md,t)
md=base("gemma4v",16,768,3072,12,0+224,16,2560)
t=[["v.patch_embd.weight","f16",16,16,3,768],["v.position_embd.weight","f32",768,10240,2]]+vit(16,768,3072,fused=False,bias=False,norm_bias=False,gate=True,t="f16")+[["mm.input_projection.weight","f16",768,2560]]
for i in range(16): t+=[[f"v.blk.{i}.attn_post_norm.weight","f32",768],[f"v.blk.{i}.ffn_post_norm.weight","f32",768],[f"v.blk.{i}.attn_q_norm.weight","f32",64],[f"v.blk.{i}.attn_k_norm.weight","f32",64]]
MODELS["gemma4v"]=(md,t)
