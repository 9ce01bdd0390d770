"""Blocks that ask for what a rule is given: relays, values, time and sun, timers, files and hosts."""

from pimains.shared.blocks.parts import (
    BOOLEAN,
    NUMBER,
    STATEMENT,
    TEXT,
    VALUE,
    Amount,
    Block,
    Choice,
    OfRelay,
    Words,
    Written,
    condition_place,
    number_place,
    same,
)

_A_DAY = 86400
_RELAY = OfRelay("RELAY")

_DAY = Choice(
    "DAY",
    (
        ("calendar", Words("today", "heute", "aujourd'hui")),
        ("12h", Words("in the last 12 h", "in den letzten 12 h", "dans les 12 dernières heures")),
        ("24h", Words("in the last 24 h", "in den letzten 24 h", "dans les 24 dernières heures")),
    ),
)
_MONTHS = (
    ("1", Words("January", "Januar", "janvier")),
    ("2", Words("February", "Februar", "février")),
    ("3", Words("March", "März", "mars")),
    ("4", Words("April", "April", "avril")),
    ("5", Words("May", "Mai", "mai")),
    ("6", Words("June", "Juni", "juin")),
    ("7", Words("July", "Juli", "juillet")),
    ("8", Words("August", "August", "août")),
    ("9", Words("September", "September", "septembre")),
    ("10", Words("October", "Oktober", "octobre")),
    ("11", Words("November", "November", "novembre")),
    ("12", Words("December", "Dezember", "décembre")),
)

RELAYS = (
    Block(
        "relay_is", "relay", VALUE, BOOLEAN,
        Words("%1 is %2", "%1 ist %2", "%1 est %2"),
        Words("Whether its contact is closed.", "Ob sein Kontakt geschlossen ist.", "Si son contact est fermé."),
        (_RELAY, Choice("STATE", (("on", Words("on", "ein", "allumé")), ("off", Words("off", "aus", "éteint"))))),
    ),
    Block(
        "relay_mode", "relay", VALUE, BOOLEAN,
        Words("%1 is in mode %2", "%1 hat den Modus %2", "%1 est en mode %2"),
        Words("What a person wants of it.", "Was ein Mensch von ihm will.", "Ce qu'une personne lui demande."),
        (_RELAY,
         Choice("MODE", (("auto", same("auto")), ("on", Words("on", "ein", "marche")), ("off", Words("off", "aus", "arrêt"))))),
    ),
    Block(
        "relay_seconds", "relay", VALUE, NUMBER,
        Words("%1: %2, in s", "%1: %2, in s", "%1 : %2, en s"),
        Words("0 while it is the other way round; very many since what never was.",
              "0, solange es umgekehrt ist; sehr viele seit dem, was nie war.",
              "0 tant que c'est l'inverse ; énormément depuis ce qui n'a jamais eu lieu."),
        (_RELAY,
         Choice("WHAT", (
             ("on_for", Words("on for", "ein seit", "allumé depuis")),
             ("off_for", Words("off for", "aus seit", "éteint depuis")),
             ("last_on", Words("since it last came on", "seit dem letzten Einschalten", "depuis le dernier allumage")),
             ("last_off", Words("since it last went off", "seit dem letzten Ausschalten", "depuis la dernière extinction")),
             ("last_on_by_rule", Words("since a rule turned it on", "seit eine Regel es einschaltete", "depuis qu'une règle l'a allumé")),
         ))),
    ),
    Block(
        "relay_today", "relay", VALUE, BOOLEAN,
        same("%1 %2 %3"),
        Words("Whether it came on, or went off, since midnight or in the hours before.",
              "Ob es seit Mitternacht oder in den Stunden davor an- oder ausging.",
              "S'il s'est allumé ou éteint depuis minuit ou dans les heures précédentes."),
        (_RELAY,
         Choice("WHAT", (
             ("on_today", Words("came on", "ging an", "s'est allumé")),
             ("switched_off_today", Words("went off", "ging aus", "s'est éteint")),
         )),
         _DAY),
    ),
    Block(
        "relay_count", "relay", VALUE, NUMBER,
        Words("%1: %2 %3", "%1: %2 %3", "%1 : %2 %3"),
        Words("How long it was on, or how often it came on.", "Wie lange es ein war oder wie oft es anging.",
              "Combien de temps il a été allumé, ou combien de fois il s'est allumé."),
        (_RELAY,
         Choice("WHAT", (
             ("seconds_on_today", Words("seconds on", "Sekunden ein", "secondes allumé")),
             ("starts_today", Words("starts", "Starts", "démarrages")),
         )),
         _DAY),
    ),
    Block(
        "relay_setting", "relay", VALUE, NUMBER,
        Words("%1: %2", "%1: %2", "%1 : %2"),
        Words("What its settings say.", "Was in seinen Einstellungen steht.", "Ce que disent ses réglages."),
        (_RELAY,
         Choice("WHAT", (
             ("watts", Words("power in W", "Leistung in W", "puissance en W")),
             ("priority", Words("priority", "Vorrang", "priorité")),
             ("min_on", Words("least seconds on", "kleinste Laufzeit in s", "durée minimale en s")),
         ))),
    ),
    Block(
        "relay_name", "relay", VALUE, TEXT,
        Words("name of %1", "Name von %1", "nom de %1"),
        Words("What it switches, as its settings say.", "Was es schaltet, laut seinen Einstellungen.",
              "Ce qu'il commute, selon ses réglages."),
        (_RELAY,),
    ),
)  # fmt: skip

VALUES = (
    Block(
        "value", "value", VALUE, NUMBER,
        Words("value %1", "Wert %1", "valeur %1"),
        Words("The number that a service tells. Where it is not known, the rule is lost, and its relay does as ON_LOST says.",
              "Die Zahl, die ein Dienst meldet. Ist sie nicht bekannt, ist die Regel verloren, und das Relais tut, was ON_LOST sagt.",
              "Le nombre qu'un service annonce. S'il n'est pas connu, la règle est perdue, et le relais suit ON_LOST."),
        (Written("NAME", "value", "vedirect.bmv/SOC"),),
    ),
    Block(
        "value_or", "value", VALUE, NUMBER,
        Words("value %1, or %2 where it is not known", "Wert %1, oder %2, wenn er nicht bekannt ist",
              "valeur %1, ou %2 si elle n'est pas connue"),
        Words("The rule goes on with that number.", "Die Regel macht mit dieser Zahl weiter.", "La règle continue avec ce nombre."),
        (Written("NAME", "value", "vedirect.bmv/SOC"), number_place("ELSE")),
    ),
    Block(
        "value_text", "value", VALUE, TEXT,
        Words("value %1 as text", "Wert %1 als Text", "valeur %1 en texte"),
        Words("The words that a service tells.", "Die Worte, die ein Dienst meldet.", "Les mots qu'un service annonce."),
        (Written("NAME", "value", "vedirect.mppt/CS.words"),),
    ),
    Block(
        "value_age", "value", VALUE, NUMBER,
        Words("age of %1 in s", "Alter von %1 in s", "âge de %1 en s"),
        Words("For how many seconds nobody has said it again.", "Seit wie vielen Sekunden niemand ihn neu gemeldet hat.",
              "Depuis combien de secondes personne ne l'a redite."),
        (Written("NAME", "value", "vedirect.bmv/SOC"),),
    ),
    Block(
        "value_known", "value", VALUE, BOOLEAN,
        Words("%1 is known", "%1 ist bekannt", "%1 est connue"),
        Words("Whether somebody tells it, and not too long ago.", "Ob jemand ihn meldet, und vor nicht zu langer Zeit.",
              "Si quelqu'un l'annonce, et depuis peu."),
        (Written("NAME", "value", "vedirect.bmv/SOC"),),
    ),
    Block(
        "house_total", "value", VALUE, NUMBER,
        Words("%1 in W", "%1 in W", "%1 en W"),
        Words("Of all chargers and batteries together.", "Von allen Ladereglern und Batterien zusammen.",
              "De tous les chargeurs et batteries réunis."),
        (Choice("WHAT", (
            ("PPVT", Words("power of all panels", "Leistung aller Module", "puissance de tous les panneaux")),
            ("CONSO", Words("power used now", "Verbrauch jetzt", "consommation actuelle")),
        )),),
    ),
    Block(
        "charger", "value", VALUE, BOOLEAN,
        Words("a charger is in %1, or was less than %2 s ago", "ein Laderegler ist in %1, oder war es vor weniger als %2 s",
              "un chargeur est en %1, ou l'était il y a moins de %2 s"),
        Words("The battery is as good as full. The seconds keep it from fluttering.",
              "Die Batterie ist so gut wie voll. Die Sekunden verhindern Flattern.",
              "La batterie est presque pleine. Les secondes évitent les battements."),
        (Choice("STATE", (
            ("absorbing_or_floating", Words("absorption or float", "Absorption oder Erhaltung", "absorption ou float")),
            ("floating", Words("float", "Erhaltung", "float")),
        )), Amount("SECONDS", 0, _A_DAY, 60)),
    ),
)  # fmt: skip

TIMES = (
    Block(
        "clock", "time", VALUE, NUMBER,
        same("%1"),
        Words("By local time. Until the clock was set, the relay is left as it is.",
              "Nach Ortszeit. Bis die Uhr gestellt ist, bleibt das Relais, wie es ist.",
              "À l'heure locale. Tant que l'horloge n'est pas réglée, le relais reste tel quel."),
        (Choice("WHAT", (
            ("hour", Words("hour (0-23)", "Stunde (0-23)", "heure (0-23)")),
            ("minute", Words("minute (0-59)", "Minute (0-59)", "minute (0-59)")),
            ("minutes", Words("minutes since midnight", "Minuten seit Mitternacht", "minutes depuis minuit")),
            ("weekday", Words("weekday (1 Monday to 7)", "Wochentag (1 Montag bis 7)", "jour de semaine (1 lundi à 7)")),
            ("day", Words("day of the month", "Tag im Monat", "jour du mois")),
            ("month", Words("month (1-12)", "Monat (1-12)", "mois (1-12)")),
            ("year", Words("year", "Jahr", "année")),
            ("yearday", Words("day of the year", "Tag im Jahr", "jour de l'année")),
        )),),
    ),
    Block(
        "clock_between", "time", VALUE, BOOLEAN,
        Words("it is from %1 to %2", "es ist von %1 bis %2", "il est de %1 à %2"),
        Words("Times of day such as 6:30; also over midnight. Until the clock was set, the relay is left as it is.",
              "Uhrzeiten wie 6:30; auch über Mitternacht. Bis die Uhr gestellt ist, bleibt das Relais, wie es ist.",
              "Des heures comme 6:30 ; aussi par-delà minuit. Tant que l'horloge n'est pas réglée, le relais reste tel quel."),
        (Written("FROM", "time", "11:00"), Written("TO", "time", "18:00")),
    ),
    Block(
        "weekday_is", "time", VALUE, BOOLEAN,
        Words("it is %1", "es ist %1", "c'est %1"),
        Words("By local time.", "Nach Ortszeit.", "À l'heure locale."),
        (Choice("DAYS", (
            ("1-5", Words("Monday to Friday", "Montag bis Freitag", "lundi à vendredi")),
            ("6-7", Words("the weekend", "Wochenende", "le week-end")),
            ("1", Words("Monday", "Montag", "lundi")),
            ("2", Words("Tuesday", "Dienstag", "mardi")),
            ("3", Words("Wednesday", "Mittwoch", "mercredi")),
            ("4", Words("Thursday", "Donnerstag", "jeudi")),
            ("5", Words("Friday", "Freitag", "vendredi")),
            ("6", Words("Saturday", "Samstag", "samedi")),
            ("7", Words("Sunday", "Sonntag", "dimanche")),
        )),),
    ),
    Block(
        "month_between", "time", VALUE, BOOLEAN,
        Words("it is from %1 to the end of %2", "es ist von %1 bis Ende %2", "on est de %1 à fin %2"),
        Words("Both months belong to it; also over the end of the year.", "Beide Monate gehören dazu; auch über das Jahresende.",
              "Les deux mois compris ; aussi par-delà la fin de l'année."),
        (Choice("FROM", _MONTHS), Choice("TO", _MONTHS)),
    ),
    Block(
        "clock_is_set", "time", VALUE, BOOLEAN,
        Words("the clock was set", "die Uhr ist gestellt", "l'horloge est réglée"),
        Words("After a start this machine may not know what time it is.",
              "Nach dem Start weiß dieses Gerät vielleicht noch nicht, wie spät es ist.",
              "Après un démarrage, cette machine peut ignorer l'heure."),
    ),
    Block(
        "sun", "time", VALUE, NUMBER,
        Words("%1 in minutes since midnight", "%1 in Minuten seit Mitternacht", "%1 en minutes depuis minuit"),
        Words("To be compared with the minutes since midnight. Needs LATITUDE and LONGITUDE of the service rules.",
              "Zum Vergleich mit den Minuten seit Mitternacht. Braucht LATITUDE und LONGITUDE des Dienstes rules.",
              "À comparer aux minutes depuis minuit. Nécessite LATITUDE et LONGITUDE du service rules."),
        (Choice("WHAT", (("sunrise", Words("sunrise", "Sonnenaufgang", "lever du soleil")), ("sunset", Words("sunset",
               "Sonnenuntergang", "coucher du soleil")))),),
    ),
    Block(
        "sun_is", "time", VALUE, BOOLEAN,
        Words("the sun is %1", "die Sonne ist %1", "le soleil est %1"),
        Words("Needs LATITUDE and LONGITUDE of the service rules.", "Braucht LATITUDE und LONGITUDE des Dienstes rules.",
              "Nécessite LATITUDE et LONGITUDE du service rules."),
        (Choice("STATE", (("up", Words("up", "aufgegangen", "levé")), ("down", Words("down", "untergegangen", "couché")))),),
    ),
)  # fmt: skip

TIMERS = (
    Block(
        "held", "timer", VALUE, BOOLEAN,
        Words("%2 has been so for %3 s (%1)", "%2 ist schon %3 s lang so (%1)", "%2 depuis %3 s (%1)"),
        Words("Without a break, whenever the rule came to this block: behind an “and” that does not hold it is not looked at. "
              "Its name tells it apart from others.",
              "Ohne Unterbrechung, sooft die Regel bis zu diesem Block kam: Nach einem „und“, das nicht gilt, wird nicht nachgesehen. "
              "Der Name unterscheidet es von anderen.",
              "Sans interruption, à chaque fois que la règle est arrivée à ce bloc : après un « et » non vérifié, on ne le regarde pas. "
              "Son nom le distingue des autres."),
        (Written("NAME", "timer", "sun"), condition_place("A"), number_place("SECONDS", 300)),
    ),
    Block(
        "held_seconds", "timer", VALUE, NUMBER,
        Words("seconds that %2 has been so (%1)", "Sekunden, die %2 schon so ist (%1)", "secondes depuis que %2 (%1)"),
        Words("0 while it is not so.", "0, solange es nicht so ist.", "0 tant que ce n'est pas le cas."),
        (Written("NAME", "timer", "sun"), condition_place("A")),
    ),
    Block(
        "timer_start", "timer", STATEMENT, "",
        Words("start timer %1 for %2 s", "Zeitgeber %1 für %2 s starten", "démarrer le minuteur %1 pour %2 s"),
        Words("Anew, if it was started before. It goes on over a restart.",
              "Neu, falls er schon lief. Er läuft über einen Neustart weiter.",
              "À nouveau, s'il l'était déjà. Il continue après un redémarrage."),
        (Written("NAME", "timer", "rest"), number_place("SECONDS", 600)),
    ),
    Block(
        "timer_stop", "timer", STATEMENT, "",
        Words("forget timer %1", "Zeitgeber %1 vergessen", "oublier le minuteur %1"),
        Words("As if it had never been started.", "Als wäre er nie gestartet worden.", "Comme s'il n'avait jamais été démarré."),
        (Written("NAME", "timer", "rest"),),
    ),
    Block(
        "timer_is", "timer", VALUE, BOOLEAN,
        Words("timer %1 is %2", "Zeitgeber %1 %2", "le minuteur %1 %2"),
        Words("Asking changes nothing.", "Das Fragen ändert nichts.", "Le demander ne change rien."),
        (Written("NAME", "timer", "rest"),
         Choice("STATE", (
             ("running", Words("running", "läuft", "tourne")),
             ("over", Words("over", "ist abgelaufen", "est écoulé")),
             ("unknown", Words("not started", "ist nicht gestartet", "n'est pas démarré")),
         ))),
    ),
    Block(
        "timer_seconds", "timer", VALUE, NUMBER,
        Words("seconds since timer %1 was started", "Sekunden seit dem Start von Zeitgeber %1", "secondes depuis le départ du minuteur %1"),
        Words("Very many where it was not.", "Sehr viele, wenn er nicht gestartet wurde.", "Énormément s'il n'a pas été démarré."),
        (Written("NAME", "timer", "rest"),),
    ),
)  # fmt: skip

OUTSIDE = (
    Block(
        "file_there", "outside", VALUE, BOOLEAN,
        Words("there is a file %1", "es gibt eine Datei %1", "il y a un fichier %1"),
        Words("In RULES_FILES of the service rules.", "In RULES_FILES des Dienstes rules.", "Dans RULES_FILES du service rules."),
        (Written("FILE", "file", "guests"),),
    ),
    Block(
        "host_answers", "outside", VALUE, BOOLEAN,
        Words("%1 answers; if nobody can tell: %2", "%1 antwortet; wenn es niemand weiß: %2", "%1 répond ; si personne ne sait : %2"),
        Words("Whether it answers a ping. It has to be one of HOSTS of the service rules.",
              "Ob er auf einen Ping antwortet. Er muss in HOSTS des Dienstes rules stehen.",
              "S'il répond à un ping. Il doit être dans HOSTS du service rules."),
        (Written("HOST", "host", "pc.lan"),
         Choice("UNKNOWN", (
             ("lost", Words("the rule is lost", "Regel verloren", "règle perdue")),
             ("true", Words("yes", "ja", "oui")),
             ("false", Words("no", "nein", "non")),
         ))),
    ),
)  # fmt: skip
