"""Whether a word that opens a sentence is a name, so that its capital stays inside a question.

A word and the text it comes from enter. A text that uses the word in mid-sentence decides; then a
short list of names that gave their name to things.
"""

from __future__ import annotations

import re

from synth_dspy.lm.offline.words import word_set

_NAMES = word_set(
    """
    Abel Ampere Archimedes Arrhenius Bayes Bell Bernoulli Bessel Bloch Boltzmann Boole Brown
    Cauchy Celsius Chebyshev Clifford Darcy Deutsch Dirac Doppler Einstein Euclid Euler
    Fahrenheit Faraday Fermat Feynman Fibonacci Fourier Froude Galileo Gauss Grover Hadamard
    Hamilton Hermite Hilbert Huffman Jacobi Jordan Josza Jozsa Kelvin Kirchhoff Kraus
    Lagrange Laplace Leibniz Linux Lorentz Manning Markov Maxwell Monte Newton Nyquist Ohm
    Pareto Parshall Pascal Pauli Planck Poisson Python Pythagoras Ramsey Rayleigh Reynolds
    Riemann Schmidt Schrodinger Shannon Shor Simpson Stokes Strickler Taylor Toffoli Turing
    Unix Venturi Weibull Wiener
    """
)


def as_inside(phrase: str, text: str) -> str:
    """A noun phrase that opened a sentence, as it is spelled within one."""
    first, _, rest = phrase.partition(" ")
    if first.lower() in {"a", "an", "the", "each", "every"}:
        return f"{first.lower()} {rest}"
    return phrase if is_name(first, rest, text) else phrase[0].lower() + phrase[1:]


def is_name(word: str, rest: str, text: str) -> bool:
    """Whether the first word of a phrase keeps its capital."""
    plain = re.sub(r"['\u2019]s?$", "", word)
    following = rest.split(" ")[0]
    if re.match(r"[A-Z][a-z]", following):
        return True
    # With its noun: "IBM Quantum" says nothing of "quantum computing".
    pair = f"{plain} {following}".strip()
    if not plain[:1].isupper() or re.search(r"[A-Z0-9_`$]", plain[1:]) or "`" in word:
        return True
    if plain in _NAMES or plain.split("-")[0] in _NAMES or re.search(r"['\u2019]s$", word):
        return True
    if re.search(rf"\b{re.escape(pair[0].lower() + pair[1:])}\b", text):
        return False
    return bool(re.search(rf"[a-z,;] {re.escape(pair)}\b", text))
