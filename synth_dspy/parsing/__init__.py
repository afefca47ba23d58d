"""Documents of every kind to text with image markers, and text to chunks."""

from synth_dspy.parsing.chunking import ChunkOptions, chunk_document
from synth_dspy.parsing.images import ImageError, ImageStore, StoredImage
from synth_dspy.parsing.markers import without_images
from synth_dspy.parsing.options import ParseOptions
from synth_dspy.parsing.parse import parse_file

__all__ = [
    "ChunkOptions",
    "ImageError",
    "ImageStore",
    "ParseOptions",
    "StoredImage",
    "chunk_document",
    "parse_file",
    "without_images",
]
