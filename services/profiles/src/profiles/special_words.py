"""The words of special categories of data (GDPR Art. 9 and 10), Dutch and English, as `freetext/model.py` looks for them.

Small letters, no accents, a blank for a hyphen; between commas stands a word, a phrase or an expression.
Only what names somebody's own state is here. Occupations are not: 'imam' is work, 'moslim' is a belief.
"""

ALWAYS = {
    "health": "wajong, wajonger, wajonguitkering, hiv positief, hiv positive, seropositief, arbeidsongeschikt verklaard",
    "criminal": "strafblad, strafbladen, criminal record",
}
"""Counts wherever it stands."""

PERSONAL = {
    "health": """
        autisme, autistisch, autist, autismespectrumstoornis, asperger, adhd, pdd nos, dyslexie, dyslectisch, dyscalculie,
        depressie, depressies, depressief, burn ?out, bipolair, bipolaire stoornis, borderline, ptss, schizofrenie, schizofreen,
        psychoses?, angststoornis, eetstoornis, anorexia, diabetes, suikerziekte, kanker, borstkanker, leukemie, epilepsie, reuma,
        astma, copd, crohn, multiple sclerose, parkinson, hartinfarct, hartaanval, hartziekte, beroerte, hersenletsel, hiv,
        hepatitis, verslaafd, verslaving, alcoholist, alcoholverslaving, drugsverslaving, gokverslaving, chronisch ziek,
        chronische ziekte, ziek geweest, langdurig ziek, ernstig ziek, mijn ziekte, zwanger, handicap, gehandicapt,
        arbeidshandicap, arbeidsbeperking, (?:lichamelijke|verstandelijke|visuele|auditieve|fysieke|psychische) beperking,
        blind, slechtziend, doof, slechthorend, rolstoel, arbeidsongeschikt, ziektewet, wia, wao,
        ben afgekeurd, mijn beperking, mijn medicatie, mijn medicijnen, mijn diagnose, mijn psychiater,
        autism, autistic, dyslexia, dyslexic, depression, depressed, bipolar, schizophrenia, schizophrenic, psychosis,
        anxiety disorder, eating disorder, diabetic, cancer, leukaemia, leukemia, epilepsy, epileptic, multiple sclerosis,
        arthritis, asthma, heart attack, had a stroke, ptsd, addicted, addiction, alcoholic, chronically ill, chronic illness,
        pregnant, disability, disabled, handicapped, deaf, wheelchair, mental illness, my illness, my medication, my diagnosis,
        my psychiatrist
    """,
    "ethnicity": """
        afkomst, etniciteit, etnisch, etnische achtergrond, migratieachtergrond, allochtoon, huidskleur, donkere huid, zigeuner,
        ethnicity, ethnic background, ethnic origin, racial origin, skin colou?r, [a-z]+ descent
    """,
    "religion": """
        moslim, moslima, christen, katholiek, protestant, protestants, gereformeerd, joods, jood, hindoe, boeddhist, atheist,
        gelovig, ongelovig, bekeerd, hoofddoek, mijn (?:geloof|religie|godsdienst|kerk|moskee|synagoge),
        muslim, a christian, catholic, jewish, a jew, hindu, buddhist, religious, my (?:faith|religion|church|mosque|synagogue)
    """,
    "politics": """
        lid van (?:de )?(?:vvd|pvda|groenlinks|d66|cda|pvv|sp|christenunie|sgp|volt|denk|bbb|nsc|fvd|ja21|bij1),
        stem(?:de)? (?:op )?(?:de )?(?:vvd|pvda|groenlinks|d66|cda|pvv|sp|christenunie|sgp|volt|denk|bbb|nsc|fvd|ja21|bij1),
        politieke (?:voorkeur|overtuiging|opvattingen?), lid van een politieke partij, partijlid,
        political (?:views|opinions?|beliefs|preference), voted? (?:for|labour|conservative|green),
        member of (?:the|a) (?:[a-z]+ )?party
    """,
    "union": """
        vakbondslid, vakbondslidmaatschap, mijn vakbond, lid van (?:de |een |mijn )?(?:vakbond|fnv|cnv|vcp),
        union member, my (?:trade )?union, member of (?:the|a|my) (?:[a-z]+ )?union
    """,
    "sexuality": """
        homo, homoseksueel, lesbisch, lesbienne, biseksueel, transgender, transseksueel, queer, geaardheid,
        seksuele (?:geaardheid|voorkeur|gerichtheid),
        homosexual, gay, lesbian, bisexual, transsexual, sexual (?:orientation|preference)
    """,
    "criminal": """
        veroordeeld, veroordeling, veroordelingen, taakstraf, celstraf, gevangenisstraf, werkstraf, gedetineerd, ex gedetineerde,
        tbs, vastgezeten, ik zat vast, zat in (?:de )?(?:gevangenis|cel|detentie), in (?:de )?(?:gevangenis|cel|detentie) gezeten,
        mijn detentie, mijn straf,
        convicted, convictions, criminal conviction, a conviction, prison sentence, felony, felon, imprisoned,
        ex (?:offender|convict|prisoner), (?:was|been|went|served|spent) (?:time )?(?:in |to )?(?:prison|jail),
        my sentence, my parole
    """,
}
"""Counts beside a first-person word in its sentence, unless it belongs to others or to the work there."""

FIRST_PERSON = (
    "ik, ikzelf, mij, me, mijn, m'n, mezelf, mijzelf, heb, ben, my, mine, myself, i'm, i've, i (?:am|have|had|was|suffer)"
)

ONESELF = "heb, had, ben, was, mij, me, mijn, m'n, kreeg, i'm, i've, am, have, my, suffer"
"""Read backwards from what was found, the first word of these and `OTHERS` decides whose it is."""

OTHERS = """
    mensen, kinderen, kind, jongeren, volwassenen, ouderen, client, clienten, patient, patienten, bewoners, leerlingen, studenten,
    personen, deelnemers, werknemers, medewerkers, collega's, gezinnen, doelgroep, doelgroepen, groep, team, teams, werkzoekenden,
    kandidaten, burgers, begeleid, begeleidde, begeleiden, begeleider, begeleidster, begeleiding, coach, coaching, coachte,
    verpleegkundige, verpleging, verzorgende, verzorgde, specialist, specialisatie, consulent, adviseur, adviseerde, trainer,
    training, trainde, docent, leraar, les, lessen, onderwijs, onderzoek, onderzoeker, onderzocht, therapeut, arts, behandelaar,
    behandeling, behandel, behandelde, zorg, hulpverlener, hulpverlening, ervaring, kennis, expertise, affiniteit,
    aandachtsgebied, thema, onderwerp, scriptie, stage, afdeling, kliniek, polikliniek, centrum, stichting, vereniging,
    preventie, voorkomen, over, werk, werkte, werkzaam, bestuurder, medewerker, redacteur, vrijwilliger, project,
    cursus, module, opleiding, minor, school, scholen, instelling, organisatie, universiteit, museum, fonds, typen,
    people, children, child, adults, clients, patients, residents, pupils, students, persons, employees, colleagues, families,
    nurse, nursing, counsellor, counselor, teacher, taught, teaching, researcher, research, researched, therapist, doctor, care,
    carer, caring, support, supported, supporting, worker, work, worked, working, experience, knowledge, department, clinic,
    centre, center, foundation, association, prevention, prevent, about, thesis, course, programme, awareness, ward, unit
"""
