"""All that takes frames: codecs, encoders, files that are complete before they get their name."""

from nightfx.target.codecs import OutputPlan, plan_output
from nightfx.target.image_writer import picture_lines, write_grey, write_picture
from nightfx.target.join import EncodedSegment, join_segments, segment_suffix, write_segment
from nightfx.target.prediction import predict_losses
from nightfx.target.sequence_writer import SequencePlan, plan_sequence, write_sequence
from nightfx.target.still_writer import write_parts
from nightfx.target.tags import check_fields
from nightfx.target.trial import try_target
from nightfx.target.writer import Head, captions_noted, head_of, span_of, write_clip

__all__ = [
    "EncodedSegment",
    "Head",
    "OutputPlan",
    "SequencePlan",
    "captions_noted",
    "check_fields",
    "head_of",
    "join_segments",
    "picture_lines",
    "plan_output",
    "plan_sequence",
    "predict_losses",
    "segment_suffix",
    "span_of",
    "try_target",
    "write_clip",
    "write_grey",
    "write_parts",
    "write_picture",
    "write_segment",
    "write_sequence",
]
