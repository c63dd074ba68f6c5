"""Figures: every function takes arrays, tables or results and returns a matplotlib `Figure`, made without pyplot.

Save one with ``figure.savefig("name.pdf")``; in a notebook it shows itself. Widths are those of one column (3.35
inches) or of a page, text is 7 points and more and stays text in PDF and SVG, many points are pixels inside the vector
file. Colours are told apart with any colour vision (Okabe & Ito; cividis, viridis). A figure of your own is any
function that returns a `Figure`; with an attribute ``task`` it stands in that section of a report.
"""

from ..._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "anomaly_sheet": ".sheets",
        "AtShare": ".label_shares",
        "ArrayViews": ".array_views",
        "attention_map": ".attention",
        "Beside": ".repetitions",
        "centroid_similarity": ".class_space",
        "cluster_sheet": ".sheets",
        "cluster_spectra": ".clusters",
        "colour_colour": ".colours",
        "confusion_matrix": ".classification",
        "coverage_by_bin": ".calibration",
        "coverage_curve": ".calibration",
        "draw_view": ".views",
        "few_shot_curves": ".few_shots",
        "feature_maps": ".layers",
        "Interval": ".intervals",
        "interval_plot": ".intervals",
        "learning_curves": ".training",
        "map_by_cluster": ".maps",
        "map_by_property": ".maps",
        "mislabel_plane": ".class_space",
        "misclassified_sheet": ".error_sheets",
        "modality_subsets": ".subsets",
        "precision_recall_curves": ".classification",
        "mean_curves": ".repetitions",
        "measured_beside_published": ".repetitions",
        "predicted_against_true": ".predictions",
        "reliability_diagram": ".calibration",
        "retrieval_sheet": ".sheets",
        "roc_curves": ".classification",
        "scores_by_label_share": ".label_shares",
        "search_panel": ".sheets",
        "share_figure": ".attention",
        "similarity_histogram": ".similarities",
        "spectrum_seen": ".attention",
        "subclass_figure": ".subclasses",
        "unsure_sheet": ".error_sheets",
        "usual_colours": ".colours",
        "vectors_side_by_side": ".vectors",
    },
)
