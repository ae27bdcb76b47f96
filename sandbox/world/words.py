"""Words that the generator draws from. Nobody's real name, address or number is meant."""


def _words(text: str, separator: str | None = None) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(separator) if word.strip())


FIRST_NAMES = _words(
    """
    Ada Aaron Abel Adriana Agnes Alan Alba Alec Alice Alma Alonzo Amara Amy Anders Andre Angela Anita
    Anna April Ari Arlene Armando Astrid Audrey Axel Beatriz Ben Bianca Blake Boyd Brenda Brett Bruno
    Caleb Camila Carl Carmen Casey Cecil Celia Chance Chloe Cinda Clara Clark Claudia Cody Colleen Corey
    Cruz Curtis Dale Dana Daria Darrell Dawn Dean Della Denise Derek Diego Dina Dolores Don Doris Drew
    Dylan Earl Eddie Edith Elena Eli Ella Elmer Emil Emma Enid Enrique Eric Esther Ethan Eva Faye Felix
    Fern Fiona Flora Floyd Gail Gavin Gene Gina Glen Gloria Grace Grant Greta Gus Gwen Hank Hazel Hector
    Heidi Helen Henry Hilda Hugo Ian Ida Inez Ira Irene Iris Isaac Ivan Ivy Jack Jaime Jan Jared Jean
    Jenna Jerome Jill Joan Joel Jonas Josie Juan Judy Julia Kara Karl Kate Keith Kelly Ken Kira Kurt
    Lana Lars Laura Leah Lee Lena Leo Lila Lloyd Lois Lou Lucy Luis Luz Lyle Mabel Mae Marco Maria Mark
    Marta Mary Max May Mia Miles Mina Mona Myra Nadia Nate Neil Nell Nico Nina Noel Nora Olga Oliver
    Opal Oscar Otto Owen Pablo Pam Paula Pearl Perry Pia Quinn Rae Ralph Ramon Reed Rhea Rick Rita Rob
    Rosa Ross Roy Ruby Russ Ruth Sadie Sam Sara Saul Seth Shane Sid Simon Stan Stella Sue Tara Ted Tess
    Theo Tia Tim Tina Todd Troy Una Vera Vic Wade Walt Wendy Will Wyatt Yara Zoe
    """,
)

LAST_NAMES = _words(
    """
    Abbott Acosta Adkins Aguilar Allard Alvarez Amato Archer Ashby Avila Ayers Baca Bailey Barela Barker
    Barnes Barrera Bauer Beck Bell Benitez Berg Bishop Blair Bloom Bonner Booth Bowen Boyer Brandt
    Briggs Brock Bryant Burke Byrne Cain Calder Campos Cannon Cardenas Carey Carlson Castro Chan Chavez
    Clay Cline Cobb Cohen Cole Conley Cordova Costa Craig Crosby Cruz Dalton Davila Dawson Delgado
    Dorsey Doyle Drake Duffy Duran Eaton Ellis Emery Espinoza Estes Farley Faulk Fields Finch Fisk
    Flores Foley Frost Fuentes Gage Gallegos Garner Gibbs Glover Goff Gomez Goode Graves Griego Guerra
    Haas Hale Hardin Hatch Hayes Herrera Hobbs Holt Horn Hughes Hurst Ibarra Ingram Jarvis Jensen Joyce
    Kane Keller Kemp Kerr Klein Knapp Kramer Lamb Lang Larsen Leal Lind Lopez Lowe Lucero Lund Lynch
    Mabry Maes Marsh Mata Maxwell Mayer McCoy Medina Mejia Mercer Meyer Molina Montoya Moody Mora Moss
    Muniz Nash Navarro Nolan Noonan Norris Ochoa Olsen Ortega Osborn Pacheco Padilla Page Parks Patel
    Peck Pena Perez Phelps Pineda Poole Potter Pratt Quintana Ramos Rand Reyes Rhodes Rios Rivas Robles
    Roth Rowe Salas Sandoval Santos Sauer Shaw Sierra Skinner Slater Snow Solis Sosa Stark Stone Suarez
    Swift Tafoya Tate Thorne Torres Tran Trujillo Tucker Ulrich Valdez Vance Vargas Vega Vigil Voss Wade
    Walls Ware Webb Weiss Welch Whitt Wilder Wolfe Yates Ybarra York Young Zamora Ziegler
    """,
)

STREETS = _words(
    """
    Elm Oak Cedar Birch Adams Grant Logan Clarkson Pecos Zuni Irving Lowell Vine Race Yosemite Quebec
    """,
)

# (city, zip, state, weight): mostly the Denver area, a few visitors
PLACES = (
    ("Denver", "80203", "CO", 9),
    ("Denver", "80205", "CO", 9),
    ("Denver", "80206", "CO", 9),
    ("Denver", "80209", "CO", 8),
    ("Denver", "80211", "CO", 9),
    ("Denver", "80219", "CO", 6),
    ("Denver", "80220", "CO", 6),
    ("Aurora", "80010", "CO", 7),
    ("Aurora", "80012", "CO", 8),
    ("Boulder", "80302", "CO", 7),
    ("Boulder", "80304", "CO", 5),
    ("Wheat Ridge", "80033", "CO", 7),
    ("Lakewood", "80214", "CO", 6),
    ("Lakewood", "80226", "CO", 5),
    ("Arvada", "80002", "CO", 5),
    ("Englewood", "80110", "CO", 4),
    ("Littleton", "80120", "CO", 4),
    ("Golden", "80401", "CO", 3),
    ("Thornton", "80229", "CO", 4),
    ("Longmont", "80501", "CO", 2),
    ("Cheyenne", "82001", "WY", 1),
    ("Scottsbluff", "69361", "NE", 1),
    ("Raton", "87740", "NM", 1),
)

AREA_CODES = ("303", "720", "983", "970", "719")

FAR_AREA_CODES = (
    "307",
    "308",
    "505",
    "575",
    "785",
    "806",
    "602",
    "619",
    "512",
    "206",
    "612",
    "312",
    "816",
    "405",
)

MAIL_DOMAINS = ("example.com", "example.net", "example.org", "mail.example.com", "post.example.net")

PLACEHOLDER_EMAILS = ("none@none.com", "noemail@highmesa.example.com", "test@test.com", "na@na.com")

PLACEHOLDER_PHONES = ("(000) 000-0000", "(555) 555-5555", "(303) 000-0000", "(999) 999-9999")

BUDTENDERS = _words(
    """
    Alex Bobbie Charlie Devon Emery Frankie Harper Jules Kendall Logan Morgan Parker Riley Sage
    """,
)

BRANDS = _words(
    """
    High Mesa, Juniper & Sage, Front Range Farms, Red Rocks Reserve, Timberline, Bluebird Gardens,
    Cutthroat, Columbine Co., Fourteener, Aspen Glow, Snowmelt, Pikes, Golden Plains, Larkspur,
    Meadowlark, Prairie Fire
    """,
    ",",
)

# name, species as typed at the counter: the spellings differ on purpose
STRAINS = (
    ("Blue Dream", "Sativa-dom"),
    ("Granddaddy Purple", "Indica"),
    ("Sour Diesel", "Sativa"),
    ("Girl Scout Cookies", "Hybrid"),
    ("Northern Lights", "Indica"),
    ("Durban Poison", "Sativa"),
    ("Gelato", "50/50"),
    ("Bubba Kush", "Indica-Dom"),
    ("Jack Herer", "Sativa-Dom"),
    ("Wedding Cake", "hybrid indica"),
    ("Super Lemon Haze", "sativa hybrid"),
    ("Harlequin", "CBD"),
    ("White Widow", "Hybrid"),
    ("Gorilla Glue", "indica hybrid"),
    ("Pineapple Express", "Sativa Hybrid"),
    ("Purple Punch", "Indica"),
    ("Green Crack", "Sativa"),
    ("Chemdawg", "Hybrid"),
    ("Trainwreck", "Sativa-Dom"),
    ("Do-Si-Dos", "Indica-Dom"),
    ("Zkittlez", "Indica"),
    ("Strawberry Cough", "Sativa"),
    ("Mimosa", "Hybrid"),
    ("ACDC", "CBD"),
    ("Sunset Sherbet", "Indica Hybrid"),
    ("Tangie", "hybrid sativa"),
    ("Runtz", "Hybrid"),
    ("LA Confidential", "Indica"),
    ("Maui Wowie", "Sativa"),
    ("Ghost Train Haze", "Sativa"),
    ("Skywalker OG", "Indica-Dom"),
    ("Bruce Banner", "Hybrid"),
)

TERPENES = _words(
    """
    α-Bisabolol, α-Humulene, α-Terpinene, α-Pinene, β-Pinene, β-Caryophyllene, β-Myrcene, β-Ocimene,
    Linalool, Terpinolene, Limonene, Guaiol, Caryophyllene oxide, delta 3 Carene, Trans-Nerolidol
    """,  # noqa: RUF001 - the seed writes the names with Greek letters
    ",",
)

FLAVOURS = _words(
    """
    Blood Orange, Huckleberry, Sour Cherry, Peach, Watermelon, Dark Chocolate, Salted Caramel, Lemon,
    Mint, Mango, Raspberry
    """,
    ",",
)
