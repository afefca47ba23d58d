"""What is asked when a picture is described for readers."""

from __future__ import annotations

import dspy

from signatures.questions import IMAGE, IMAGE_CODE, PASSAGE, PICTURE, PRIOR


class WriteCaption(dspy.Signature):
    """Carry out the order: write what the picture shows, for a reader of technical documents. Begin
    with the subject, not with "the picture shows". Name axes with their units, values, labels and
    connections that can be read off. State only what the picture, its description or the code that
    drew it supports, and nothing of what the passage tells beyond it."""

    order: str = dspy.InputField(desc="what is asked for")
    image: dspy.Image | None = dspy.InputField(desc=PICTURE)
    image_code: str = dspy.InputField(desc=IMAGE_CODE)
    image_description: str = dspy.InputField(desc=IMAGE)
    passage: str = dspy.InputField(desc=PASSAGE)
    prior_code: str = dspy.InputField(desc=PRIOR)
    caption: str = dspy.OutputField(desc="the description, in whole sentences")
