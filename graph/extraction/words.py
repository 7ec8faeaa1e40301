"""Words that the rules go by. Lists, so that a reader sees what is known."""

from typing import Final


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


ADVERBS: Final = word_set(
    "just also actually really recently currently now always still already even finally originally "
    "lately absolutely totally "
    "definitely certainly officially truly basically literally simply personally generally usually "
    "normally typically often "
    "sometimes mostly mainly primarily only both all together happily proudly luckily fortunately unfortunately sadly "
    "obviously clearly honestly kinda sort kind of quite very so super pretty too particularly especially long "
    "quickly immediately eventually later then since once first previously formerly instead successfully newly freshly "
    "accidentally regularly occasionally frequently deeply"
)
"""What may stand between a subject and its verb without changing what is said."""

UNCERTAIN: Final = word_set(
    "almost nearly probably maybe perhaps possibly hardly barely rarely seldom supposedly apparently allegedly"
)
MODALS: Final = word_set(
    "would could might may should must shall will can 'd 'll wouldn't couldn't mightn't shouldn't "
    "mustn't won't can't cannot gonna ought need"
)

BE: Final = word_set("am is are 'm 's 're was were isn't aren't wasn't weren't be been being ain't")
WAS: Final = word_set("was were wasn't weren't")
HAVE: Final = word_set("have has 've haven't hasn't")
DO: Final = word_set("do does did don't doesn't didn't")

PRONOUNS: Final = word_set(
    "i me you he him she it we us they them myself yourself himself herself itself ourselves "
    "themselves who whom which what "
    "something anything everything nothing someone anyone everyone somebody anybody everybody nobody "
    "one ones this that these "
    "those there here somewhere anywhere where how why when whatever y'all mine yours ours theirs so "
    "such more less most much "
    "many enough none both either neither"
)
"""Alone they name nothing."""

DETERMINERS: Final = word_set(
    "a an the my your his her its our their this that these those some any another own each every "
    "several many few more "
    "all both other such no"
)
PRAISE: Final = word_set(
    "new brand-new beautiful lovely gorgeous amazing awesome great nice cute adorable wonderful cool "
    "fantastic favorite "
    "favourite good pretty little tiny first second third very really super absolutely so delicious "
    "fancy perfect trusty own "
    "brand"
)
"""What says that a thing pleases, and not which."""

QUANTITIES: Final = word_set(
    "lot lots couple pair bunch ton tons number handful bit kind sort few variety set loads plenty"
)

STOPS: Final = word_set(
    "in on at by for from with to about into onto over under during since until till after before between through via "
    "against without within around near behind beside across along off out up down as than like "
    "because although though "
    "while when whenever where wherever which who whom whose that if unless and or but so yet nor then also plus "
    "i you he she it we they me him us them there here my your his her our their "
    "is are was were am be been being has have had do does did will would can could should might may must not "
    "i'm i've i'd i'll it's that's he's she's we're we've they're they've there's don't didn't isn't wasn't can't "
    "last next yesterday today tomorrow tonight ago recently lately now currently already again "
    "anymore just too either "
    "though instead anyway together called named made based online back away everywhere every once twice ever even "
    "this these those except including yesterday's whenever please thanks lol still always never really actually "
    "right earlier later"
)
"""What ends a noun phrase that has begun."""

MONTHS: Final = word_set(
    "january february march april may june july august september october november december jan feb mar "
    "apr jun jul aug sep "
    "sept oct nov dec"
)
DAYS: Final = word_set("monday tuesday wednesday thursday friday saturday sunday")
CALENDAR: Final = MONTHS | DAYS | word_set("christmas easter thanksgiving halloween ramadan hanukkah diwali")

COMMON: Final = word_set(
    "a an the this that these those there here it its it's i i'm i've i'd i'll we we're we've you your "
    "yours you're he he's "
    "his she she's her they they're their them my our me us who what when where which why how if and "
    "or but so because since "
    "while although though as at by for from in into of on off onto out over to under up with without "
    "about after before "
    "during until till between both each every either neither not no nor none never nobody nothing "
    "noone nowhere somebody "
    "someone something everybody everyone everything anybody anyone anything all any some many most "
    "more much few several "
    "one two three other another such same also then than too very just only even still yet already "
    "always often sometimes "
    "usually maybe perhaps please thanks thank yes yeah yep no nope ok okay oh ah hey hi hello wow "
    "well sure great good nice "
    "cool awesome amazing sorry actually basically honestly really recently currently finally lately "
    "originally additionally "
    "however therefore moreover furthermore meanwhile otherwise instead overall first second third "
    "last next today tomorrow "
    "yesterday tonight now later soon once again people person man woman guy girl boy kid kids child "
    "children friend friends "
    "mom mum dad mother father mommy daddy do does did don't is are was were am be been being have has "
    "had can could will "
    "would should may might must let let's make write give tell show explain use create imagine "
    "suppose consider say think "
    "get go come take see look try help need want keep stop start speaking plus besides despite given "
    "according based using "
    "due like unlike whether unless except whenever wherever whoever whatever those's that's there's "
    "what's who's here's "
    "step note prompt user assistant chapter section part question answer example title summary hello dear sir madam "
    "everyone's lol haha btw fyi got just anyway anyways right left life work school home time god english"
).union(CALENDAR)
"""Capitalised at the start of a sentence, they are no names."""

PARTICIPLES: Final = word_set(
    "been got gotten had bought moved lived worked gone done seen made met taken given found left "
    "become begun started used "
    "known grown won lost sold quit built kept thought taught caught brought sent spent told read "
    "written driven flown ridden "
    "spoken sung swum eaten drunk fallen broken chosen worn torn run come owned attended visited "
    "adopted joined graduated "
    "studied loved hated liked enjoyed received inherited ordered purchased picked switched stopped "
    "finished played added put"
)
"""Of verbs, after "have"."""
