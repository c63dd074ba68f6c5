"""Supervised models: encoders with a head, what puts several modalities together, and what they are judged by.

Touch this room to learn a class. Encoders are trained one by one with a linear head, then frozen; their tokens are
cached, and a fusion (BATMM's cross-attention, or a simpler one) learns from those. To put another fusion in their
place, pass any ``torch.nn.Module`` whose ``modalities`` name what it reads and whose ``forward`` takes tokens
[B, T, D] by modality and gives logits [B, C]; to put another encoder there, any encoder of the kit or your own. One
that has ``tokens(x) -> [B, T, D]`` is seen token by token, another as one token.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Attention": ".fusion",
        "Classifier": ".classifier",
        "CrossAttentionFusion": ".fusion",
        "EarlyAdd": ".early_fusion",
        "EarlyConcat": ".early_fusion",
        "EncoderClassifier": ".encoder_training",
        "ErrorGroup": ".error_analysis",
        "MeanEmbedding": ".mean_embedding",
        "PooledLinear": ".early_fusion",
        "Tokens": ".tokens",
        "VGG1DFusion": ".early_fusion",
        "absent_classes": ".classes",
        "calibrate": ".temperature",
        "check_classes": ".classes",
        "class_codes": ".classes",
        "class_table": ".error_analysis",
        "compare_vectors": ".vector_comparison",
        "comparison_table": ".network_costs",
        "corrected_difference": ".significance",
        "encoder_logits": ".fusion_training",
        "encoder_shares": ".shares",
        "extract_tokens": ".tokens",
        "fit_baseline": ".baselines",
        "fit_classifier": ".fitting",
        "fit_temperature": ".temperature",
        "frechet_distance": ".vector_comparison",
        "images_per_second": ".network_costs",
        "judge": ".judgement",
        "layer_maps": ".activations",
        "make_fusion": ".methods",
        "map_layers": ".activations",
        "misclassified_groups": ".error_analysis",
        "network_cost": ".network_costs",
        "probabilities": ".temperature",
        "significance_table": ".significance",
        "spectra_matrix": ".baselines",
        "spectral_vectors": ".real_vectors",
        "subset_logits": ".modality_subsets",
        "subset_table": ".modality_subsets",
        "standardised": ".real_vectors",
        "tell_beyond_class": ".vector_comparison",
        "token_logits": ".fusion_training",
        "token_shape": ".tokens",
        "tokens_of": ".tokens",
        "train_encoder": ".encoder_training",
        "train_fusion": ".fusion_training",
        "train_generator": ".simulated_spectra",
        "train_joint": ".fusion_training",
        "train_retriever": ".retrieval",
        "unsure_but_right": ".error_analysis",
        "view_logits": ".fusion_training",
        "write_baseline": ".baselines",
    },
)
