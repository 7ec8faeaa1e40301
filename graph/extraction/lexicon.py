"""Nouns that the rules go by: what one can be, own, attend, play, speak. A phrase is looked up by its last word, singular."""

from typing import Final

from graph.extraction.words import word_set

OCCUPATIONS: Final = word_set(
    "accountant actor actress actuary administrator advisor adviser agent analyst anesthesiologist "
    "animator anthropologist "
    "apprentice archaeologist architect archivist artist assistant astronaut astronomer athlete "
    "attorney auditor author baker "
    "banker barber barista bartender biochemist biologist blacksmith blogger bookkeeper bookseller "
    "botanist bricklayer broker "
    "builder businessman businesswoman butcher buyer cardiologist carer caregiver caretaker carpenter "
    "cashier chef chemist "
    "chiropractor choreographer cleaner clerk columnist comedian composer conductor constable "
    "consultant contractor cook "
    "coordinator copywriter counselor counsellor courier curator dancer dentist dermatologist designer "
    "detective developer "
    "dietician dietitian diplomat director doctor doula dressmaker driver ecologist economist editor "
    "educator electrician "
    "engineer entrepreneur epidemiologist executive fisherman firefighter florist founder freelancer "
    "gardener geneticist "
    "geographer geologist geophysicist goldsmith guard hairdresser hairstylist handyman historian "
    "housekeeper illustrator "
    "inspector instructor interpreter investigator investor janitor jeweler jeweller journalist judge "
    "laborer labourer landscaper "
    "lawyer lecturer librarian lifeguard linguist locksmith logistician machinist magistrate maid "
    "manager marine marketer mason "
    "masseur mathematician mechanic midwife miner ministers model musician nanny neurologist "
    "neurosurgeon novelist nurse "
    "nutritionist oceanographer oncologist operator optician optometrist painter paralegal paramedic "
    "pastor pathologist "
    "pediatrician pharmacist philosopher photographer physician physicist physiotherapist pianist "
    "pilot plumber podcaster poet "
    "policeman policewoman postman potter priest principal producer professor programmer psychiatrist "
    "psychologist publicist "
    "rabbi radiologist ranger realtor receptionist recruiter reporter researcher retailer sailor salesman salesperson "
    "saleswoman scientist sculptor seamstress secretary shepherd shopkeeper singer sociologist soldier "
    "solicitor songwriter "
    "specialist statistician stewardess stockbroker strategist streamer stylist superintendent "
    "supervisor surgeon surveyor "
    "tailor tattooist teacher technician technologist tester therapist trader trainer translator tutor "
    "typist undertaker "
    "underwriter upholsterer veterinarian vet videographer waiter waitress watchmaker weaver welder "
    "winemaker woodworker writer "
    "youtuber zoologist officer representative rep associate intern lead head ceo cto cfo coo sre dba "
    "paediatrician gynecologist "
    "ophthalmologist sommelier beekeeper farmer cop engraver glazier roofer"
)
NEVER_WORK: Final = word_set("lead head marine model principal agent guard judge cook rep associate")
"""Also something else: only before "at", "for" or "in", or after "work as"."""

CONCRETE: Final = word_set(
    "binoculars glasses sunglasses airpod amplifier antique aquarium armchair backpack bag baseball "
    "basket bass bat bathtub bed bench bicycle bike binder binoculars "
    "blanket blender boat book bookcase bookshelf boot bottle bow bowl bracelet bridge briefcase broom "
    "brush bucket bus cabin cabinet "
    "calculator camera camper candle canoe canvas car card caravan carpet case cello chair chainsaw "
    "chandelier chessboard clarinet "
    "clock coat coin comforter computer console cooker cookware cooler couch cup curtain cushion desk "
    "desktop dishwasher doll "
    "drawer dress dresser drill drone drum drums dryer earbud earphone earring easel e-reader "
    "espresso-machine fan figurine "
    "fireplace flashlight flute fridge frying-pan freezer fryer furniture garden gloves glasses glove "
    "grill grinder guitar hammer hammock handbag "
    "harmonica hat headphone headset heater helmet hoodie house hybrid ipad iphone jacket jeans jersey "
    "jeep juicer kayak kettle "
    "keyboard kindle knife lamp laptop lawnmower lens lego macbook machine magazine maker mandolin map "
    "mattress microphone microscope microwave "
    "mirror mixer monitor motorbike motorcycle mower mug necklace notebook oven painting pan pants "
    "parka pen pendant phone "
    "photo piano pickup pillow plant plate playstation poster pot printer processor projector purse "
    "puzzle quilt racket radio "
    "record recliner refrigerator ring robe roomba rug saddle sandals sandal saw saxophone scale "
    "scanner scarf scooter screen screwdriver "
    "sculpture sedan serum sewing-machine shawl shed shelf shirt shoe shorts skateboard skates skis "
    "ski skirt smartphone smartwatch sneaker "
    "snowboard sofa soundbar speaker stand stapler statue stereo stool stove stroller suit suitcase "
    "sunglasses surfboard suv "
    "sweater sweatshirt switch t-shirt table tablecloth tablet tank teapot telephone telescope "
    "television tent tie toaster "
    "tool toolbox toolkit toothbrush tote towel toy tracker tractor trailer treadmill tripod trombone "
    "truck trumpet tshirt tv "
    "typewriter ukulele umbrella van vacuum vase vest viola violin waffle-maker wallet wardrobe washer "
    "watch wheel wheelchair "
    "whistle xbox yacht yarn medication shampoo lotion perfume sunscreen moisturizer food feed seed "
    "cake ticket pass subscription "
    "membership game vinyl album comic novel planner journal kit equipment gear accessory charger "
    "cable adapter router battery "
    "tire mat dumbbell kettlebell weight thermometer thermostat doorbell lock purifier humidifier "
    "dehumidifier filter crib "
    "carrier leash collar jewelry sapling orchid succulent cactus monstera fern lily collectible autograph print frame "
    "cooktop supplement vitamin fertilizer paint brushes lumber wood fabric thread needle apron"
)
"""What can be had: "I have a piano" and not "I have an idea"; "got a lamp" and not "got a cold"."""

LASTING: Final = CONCRETE - word_set(
    "medication shampoo lotion food feed cake ticket pass game scale case map plate card book food "
    "bridge record wood paint photo print "
    "table fan stand weight switch tool machine lead equipment seed supplement vitamin thread needle "
    "fertilizer plant screen lock"
) | word_set(
    "collection balcony backyard "
    "apartment flat condo farm cottage villa studio greenhouse hot-tub pool studio workshop tesla "
    "honda toyota ford bmw audi"
)

VALUED: Final = word_set(
    "car bike bicycle motorcycle motorbike truck van laptop phone computer camera guitar piano bass "
    "violin cello tablet watch "
    "tv television keyboard boat scooter desktop console telescope vehicle suv drone smartphone "
    "smartwatch tracker printer monitor"
)
"""Things of which one says "my car is a Honda"."""

EVENTS: Final = word_set(
    "concert festival conference workshop wedding seminar summit meetup gala exhibition exhibit fair "
    "lecture talk webinar party "
    "ceremony marathon half-marathon retreat graduation convention expo hackathon parade race reunion "
    "funeral symposium "
    "bootcamp masterclass show performance recital ballet opera musical play gig screening premiere tournament match "
    "championship auction fundraiser rally protest baptism christening barmitzvah shower conference "
    "event forum panel camp triathlon "
    "5k 10k game tasting demonstration demo ball banquet dinner barbecue bbq prom homecoming showcase "
    "open-house launch "
    "hackfest anniversary celebration session orientation tour run ride carnival rave service vigil"
)
SURELY_EVENTS: Final = EVENTS - word_set(
    "show play talk game session run ride service dinner tour demo performance match launch event ball "
    "celebration anniversary "
    "shower camp musical screening panel exhibit party"
)
"""Of whatever verb."""

SCHOOLS: Final = word_set(
    "school college university academy kindergarten preschool institute conservatory gymnasium uni seminary polytechnic"
)

CLUBS: Final = word_set(
    "club forum team band choir orchestra party union association society group co-op coop cooperative "
    "league guild board committee "
    "council church congregation chapter network gym community troupe ensemble fraternity sorority "
    "squad crew quartet trio "
    "collective federation chamber circle"
)

ACTIVITIES: Final = word_set(
    "guitar piano violin cello viola bass drums drum flute clarinet saxophone sax trumpet trombone "
    "tuba oboe bassoon harp ukulele banjo "
    "mandolin accordion harmonica organ keyboard keyboards oud sitar tabla lute recorder fiddle horn "
    "percussion synthesizer "
    "soccer football basketball baseball softball tennis volleyball golf hockey rugby cricket "
    "badminton squash pickleball "
    "lacrosse handball chess poker bridge checkers backgammon sudoku scrabble go mahjong darts snooker "
    "billiards pool bowling "
    "table-tennis ping-pong netball padel polo paintball dodgeball ultimate frisbee futsal dnd d&d "
    "valorant fortnite minecraft "
    "overwatch games dominoes kendama bagpipes theremin djembe koto erhu shamisen cornet euphonium"
)
PRACTISED: Final = word_set(
    "yoga judo karate taekwondo aikido kendo jiu-jitsu bjj boxing kickboxing pilates meditation ballet "
    "fencing tai-chi archery capoeira calligraphy "
    "piano guitar violin cello"
)

LANGUAGES: Final = word_set(
    "english spanish french german italian portuguese dutch mandarin chinese cantonese japanese korean "
    "arabic russian polish "
    "ukrainian turkish greek hebrew hindi urdu bengali tamil telugu punjabi gujarati marathi malayalam "
    "kannada swedish norwegian "
    "danish finnish icelandic hungarian czech slovak romanian bulgarian serbian croatian slovenian "
    "bosnian albanian vietnamese "
    "thai indonesian malay tagalog filipino swahili zulu xhosa yoruba igbo hausa amharic somali "
    "afrikaans farsi persian pashto "
    "kurdish armenian georgian azerbaijani kazakh uzbek mongolian nepali sinhala burmese khmer lao "
    "latin esperanto catalan "
    "basque galician welsh irish gaelic breton lithuanian latvian estonian maltese wolof twi akan "
    "creole quechua asl tibetan"
)
NATIONALITIES: Final = word_set(
    "american british english scottish welsh irish french german italian spanish portuguese dutch "
    "belgian swiss austrian danish "
    "swedish norwegian finnish icelandic polish czech slovak hungarian romanian bulgarian greek "
    "turkish russian ukrainian "
    "belarusian lithuanian latvian estonian serbian croatian slovenian bosnian albanian macedonian "
    "montenegrin maltese cypriot "
    "canadian mexican brazilian argentinian argentine chilean peruvian colombian venezuelan ecuadorian "
    "bolivian uruguayan "
    "paraguayan cuban dominican jamaican haitian guatemalan honduran salvadoran nicaraguan panamanian "
    "trinidadian australian "
    "indian pakistani bangladeshi nepali nepalese bhutanese chinese japanese korean taiwanese "
    "vietnamese thai cambodian laotian "
    "burmese malaysian singaporean indonesian filipino filipina mongolian kazakh uzbek afghan iranian "
    "iraqi syrian lebanese "
    "jordanian palestinian israeli saudi emirati kuwaiti qatari omani yemeni egyptian libyan tunisian "
    "algerian moroccan "
    "sudanese ethiopian eritrean somali kenyan ugandan tanzanian rwandan congolese nigerian ghanaian "
    "senegalese ivorian "
    "cameroonian angolan mozambican zambian zimbabwean namibian malawian malagasy mauritian georgian "
    "armenian azerbaijani"
)

DIETS: Final = word_set(
    "vegetarian vegan pescatarian pescetarian keto ketogenic paleo plant-based gluten-free dairy-free "
    "halal kosher lactose-free "
    "flexitarian omnivore whole30 carnivore low-carb raw-vegan pescatarians"
)

ABSTRACT: Final = word_set(
    "idea suggestion concept sound way fact look thought tip approach option list plan feel vibe "
    "question recommendation advice "
    "point answer response explanation example detail information title name description version chance opportunity "
    "possibility notion style format start structure tone method technique strategy recipe process word term phrase "
    "combination mix variety design theme message analogy metaphor summary time moment day change "
    "result difference feeling "
    "trouble problem issue job role position internship offer promotion raise email message letter "
    "text call reply haircut cold flu news help hand one ones thing things stuff kind type sort lot "
    "sense reason step bit"
)
"""What is liked of an answer, and nothing of the one who likes it."""

ALLERGENS_NOT: Final = word_set(
    "anything nothing something food seasonal it that bullshit nonsense mornings work exercise people drama"
)

PASTIMES: Final = word_set(
    "hiking dancing painting reading traveling travelling swimming cooking baking running gardening "
    "camping fishing skiing "
    "snowboarding knitting crocheting sewing quilting volunteering climbing bouldering drawing "
    "sketching singing writing cycling biking surfing "
    "sailing kayaking canoeing rowing paddleboarding diving snorkeling scuba-diving birdwatching "
    "bird-watching photography jogging walking skating "
    "skateboarding rollerblading bowling boxing kickboxing wrestling fencing archery gaming coding "
    "programming blogging "
    "journaling woodworking pottery calligraphy embroidery scrapbooking weaving foraging hunting "
    "golfing backpacking trekking mountaineering "
    "rafting meditating teaching shopping thrifting dating driving flying stargazing juggling acting "
    "improv-acting karaoke brewing homebrewing grilling "
    "barbecuing sunbathing horse-riding horseback-riding riding puzzling crafting sculpting whittling "
    "studying tutoring coaching"
)
"""What one does for its own sake, said by a lone gerund."""

VAGUE: Final = word_set(
    "working making going getting seeing being having doing trying finding using pushing holding "
    "sharing talking breaking curling "
    "sinking escaping helping improving learning knowing hearing looking thinking taking giving "
    "keeping putting feeling experimenting "
    "coming starting adding bringing turning letting setting spending creating prepping knowing asking "
    "meeting connecting "
    "combining incorporating including supporting building showing offering providing ensuring diving "
    "implementing chatting getting"
)
"""Gerunds that say little without what follows, which no rule reads."""

ENJOYED: Final = word_set(
    "ocean sea beach mountains outdoors theater theatre cinema rain snow countryside forest woods "
    "desert sun cold heat opera beatles"
)
"""What is loved with "the" before it, by anybody."""

FIELDS: Final = word_set(
    "law medicine history science sciences engineering design art arts music business nursing finance "
    "accounting marketing education "
    "psychology management theory studies math maths mathematics english languages language literature "
    "philosophy architecture "
    "journalism pharmacy dentistry theology anatomy ai ml calculus algebra film theatre theater dance "
    "fashion communication communications "
    "programming animation photography agriculture forestry hospitality administration tourism "
    "relations planning development botany "
    "chemistry biology physics economics spanish french german japanese chinese mandarin korean "
    "italian portuguese russian arabic"
)
"""What is studied; endings as in "-ology" tell more."""

BRANDS: Final = word_set(
    "toyota honda ford bmw audi volkswagen vw tesla subaru mazda nissan hyundai kia chevrolet chevy "
    "jeep lexus volvo fiat renault peugeot "
    "porsche ferrari mercedes skoda seat opel dacia mini yamaha kawasaki ducati harley vespa trek "
    "specialized cannondale nikon canon sony "
    "fujifilm leica panasonic gopro samsung iphone ipad macbook airpods kindle fitbit garmin dyson "
    "roomba nespresso keurig vitamix kitchenaid "
    "bose sonos jbl sennheiser fender gibson taylor ibanez steinway roland korg casio lenovo thinkpad "
    "dell asus acer playstation ps4 ps5 xbox "
    "nintendo dji peloton traeger weber breville ikea rolex seiko omega casper instant-pot"
)
"""Makers whose name says that a thing is one that lasts."""
