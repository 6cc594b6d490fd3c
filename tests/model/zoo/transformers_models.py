"""Hugging Face's transformers, tiny and from their configurations: nothing is downloaded."""

from .entry import Entry, keywords, load, normal, tokens

_SIZE = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
_ENDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
_WIDE = {**_SIZE, "intermediate_size": 64}
_BERT = {**_WIDE, "max_position_embeddings": 32, "pad_token_id": 0}
_LLAMA = {**_WIDE, **_ENDS, "num_key_value_heads": 2, "max_position_embeddings": 32}
_SEQ2SEQ = {
    **_ENDS, "vocab_size": 64, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2,
    "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64, "decoder_start_token_id": 1,
}  # fmt: skip

_TEXT = keywords(input_ids=tokens(4, 12))
_PAIR = keywords(input_ids=tokens(4, 12), decoder_input_ids=tokens(4, 8))


def _entry(name, options, example=_TEXT):
    """The class ``name``, from its own configuration class."""

    def build():
        kind = getattr(load("transformers"), name)
        return kind(kind.config_class(**options))

    return Entry(build, example, needs="transformers")


_GPT2 = {"vocab_size": 64, "n_positions": 32, "n_embd": 32, "n_layer": 2, "n_head": 4, **_ENDS}
_MOE = {**_LLAMA, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 32}
_CLIP_PART = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
}  # fmt: skip
_WAV2VEC2 = {
    **_WIDE, "conv_dim": (32, 32, 32), "conv_kernel": (10, 3, 3), "conv_stride": (5, 2, 2),
    "num_feat_extract_layers": 3, "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}  # fmt: skip

ENTRIES = {
    "hf_bert_mlm": _entry("BertForMaskedLM", _BERT),  # tied decoder
    "hf_roberta": _entry("RobertaForSequenceClassification", _BERT),
    "hf_distilbert": _entry(
        "DistilBertForSequenceClassification",
        {"vocab_size": 64, "dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4},
    ),
    "hf_albert": _entry("AlbertForMaskedLM", {**_BERT, "embedding_size": 16}),  # one layer, twice
    "hf_xlnet": _entry(  # raw three-way parameters in einsum
        "XLNetLMHeadModel",
        {"vocab_size": 64, "d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64},
    ),
    "hf_gpt2": _entry("GPT2LMHeadModel", _GPT2),  # Conv1D: weights stand transposed
    "hf_opt": _entry(
        "OPTForCausalLM",
        {**_SIZE, **_ENDS, "ffn_dim": 64, "word_embed_proj_dim": 16, "max_position_embeddings": 32},
    ),
    "hf_llama": _entry("LlamaForCausalLM", _LLAMA),  # fewer key than query heads, gated MLP
    "hf_gemma": _entry("GemmaForCausalLM", {**_LLAMA, "head_dim": 8}),  # norm of 1 + weight
    "hf_phi3": _entry("Phi3ForCausalLM", _LLAMA),  # qkv_proj and gate_up_proj in one
    "hf_mixtral": _entry("MixtralForCausalLM", {**_LLAMA, "num_local_experts": 4}),
    "hf_qwen2_moe": _entry(
        "Qwen2MoeForCausalLM", {**_MOE, "num_experts": 4, "num_experts_per_tok": 2}
    ),
    "hf_gpt_neox": _entry("GPTNeoXForCausalLM", {**_WIDE, **_ENDS}),  # query_key_value by head
    "hf_falcon": _entry("FalconForCausalLM", {**_SIZE, **_ENDS}),  # one key and value for all
    "hf_bloom": _entry(
        "BloomForCausalLM", {"vocab_size": 64, "hidden_size": 32, "n_layer": 2, "n_head": 4}
    ),
    "hf_mamba": _entry(
        "MambaForCausalLM",
        {**_ENDS, "vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8},
    ),
    "hf_t5": _entry(
        "T5ForConditionalGeneration",
        {"vocab_size": 64, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4},
        _PAIR,
    ),
    "hf_bart": _entry("BartForConditionalGeneration", _SEQ2SEQ, _PAIR),
    "hf_whisper": _entry(
        "WhisperForConditionalGeneration",
        {**_SEQ2SEQ, "num_mel_bins": 16, "max_source_positions": 16, "max_target_positions": 16},
        keywords(input_features=normal(2, 16, 32), decoder_input_ids=tokens(2, 8)),
    ),
    "hf_vit": _entry(
        "ViTForImageClassification",
        {**_CLIP_PART, "image_size": 32, "patch_size": 16},
        keywords(pixel_values=normal(4, 3, 32, 32)),
    ),
    "hf_wav2vec2": _entry(  # weight-normed convolution of positions
        "Wav2Vec2ForCTC", _WAV2VEC2, keywords(input_values=normal(2, 1600))
    ),
    "hf_clip": _entry(
        "CLIPModel",
        {
            "text_config": {**_CLIP_PART, **_ENDS, "vocab_size": 64, "max_position_embeddings": 32},
            "vision_config": {**_CLIP_PART, "image_size": 32, "patch_size": 16},
            "projection_dim": 16,
        },
        keywords(input_ids=tokens(4, 12), pixel_values=normal(4, 3, 32, 32)),
    ),
}
