"""Words in names that are not the name. They are part of every stored key: changing them changes keys."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HONORIFICS: Final = _words(
    "dr prof professor doctor rev reverend fr hon capt captain lt sgt col gen herr frau senor senora sr sra "
    "monsieur madame mme mlle don dona dott ing"
)
GENDERED: Final = _words("mr mrs ms miss mister sir madam lady lord dame")
"""Kept before a single name: "Mr Jones" and "Mrs Jones" are two."""

GENERATIONS: Final = _words("jr sr junior senior ii iii iv")
DEGREES: Final = _words("phd md esq mba msc bsc dds jd rn")
LEGAL_FORMS: Final = _words(
    "inc incorporated corp corporation co company ltd limited llc llp plc gmbh ag sa sas sarl srl spa bv nv ab as oy oyj "
    "kg pty pte kk"
)
REGIONS: Final = _words(
    "alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois indiana "
    "iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska "
    "nevada ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia washington wisconsin wyoming "
    "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri "
    "sc sd tn tx ut vt va wa wv wi wy ontario quebec alberta england scotland wales ireland uk usa us canada mexico brazil "
    "argentina chile peru colombia portugal spain france germany italy austria switzerland belgium netherlands denmark "
    "norway sweden finland poland greece turkey russia ukraine hungary romania czechia india pakistan china japan korea "
    "vietnam thailand indonesia philippines malaysia singapore australia egypt morocco nigeria kenya ghana israel iran "
    "iraq lebanon jordan cuba jamaica"
)
"""What follows a town's comma: "Paris, Texas" is no "Texas Paris"."""

LEGAL_FAMILIES: Final = {
    form: family
    for family, forms in {
        "us": "inc incorporated corp corporation co company llc",
        "uk": "ltd limited plc llp",
        "de": "gmbh ag kg",
        "fr": "sas sarl",
        "it": "spa srl",
    }.items()
    for form in forms.split()
}
"""Forms that people use for one firm without care; other countries' are other firms."""

FILLERS: Final = _words("the of and for de da do dos das del la le les du des di der die das von a an in at")
"""What an acronym and a change of order leave out."""
