"""Small documents that the tests ask about."""

GAUGES = '''\
## Levels and rain

A **staff gauge** is a painted board that stands in the water and shows its level. It is read by
eye.

A **tipping bucket** is a rain gauge that counts instead of weighing. The reading depends on the
wind, because drops are blown across the funnel. A heated funnel is preferred in cold valleys,
because snow would block an unheated one. It is also dearer. When the float sticks in its well, the
reading stays constant for hours.

The figure below shows all of this. We will see more of it in the next section.

```python
import math

STEP_MM = 0.2


def rain(tips: int, area: float = 1.0) -> float:
    """Return the rain in millimetres for a number of tips.

    Negative tips raise ValueError. Zero tips give 0.0.

    >>> rain(10)
    2.0
    >>> rain(0)
    0.0
    """
    # a comment that stays
    if tips < 0:
        raise ValueError("tips")
    return round(tips * STEP_MM * area, 3)
```

```python
rain(7, 2.0)
```

```text
2.8
```

```python
def mean_level(levels: list[float]) -> float | None:
    """Return the mean of the levels, or None for an empty list."""
    if not levels:
        return None
    return round(sum(levels) / len(levels), 3)


print(mean_level([1.0, 2.0, 4.5]))
```

```text
2.5
```

```python
def noisy(scale: float) -> float:
    """Return a random number."""
    import random

    value = random.random()
    return value * scale


noisy(1.0)
```

```text
0.123
```
'''

CURVE_CODE = """\
import matplotlib.pyplot as plt

fig, ax = plt.subplots()
ax.plot(range(5), [rain(i) for i in range(5)], label="rain")
ax.plot(range(5), [2 * rain(i) for i in range(5)], "--", label="twice the rain")
ax.set(title="Rain by tips", xlabel="tips", ylabel="rain (mm)")
ax.legend()
plt.show()
"""

CURVE_TEXT = (
    "The figure shows how rain grows with tips. The dashed line is the rain of a funnel of twice "
    "the area. The solid line is drawn in blue, because blue is the colour of the station."
)
