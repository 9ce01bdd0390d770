"""Blocks that decide and reckon: the answer, conditions, numbers, texts and variables."""

from pimains.shared.blocks.parts import (
    BOOLEAN,
    HAT,
    LAST,
    NUMBER,
    STATEMENT,
    TEXT,
    VALUE,
    Amount,
    Block,
    Choice,
    OfVariable,
    Statements,
    Value,
    Words,
    Written,
    condition_place,
    number_place,
    same,
    text_place,
)

_A_DAY = 86400
_MOST = 1_000_000_000
_ALL = (NUMBER, BOOLEAN, TEXT)
_WHY = Words("why", "warum", "pourquoi")

RULE = (
    Block(
        "rule", "rule", HAT, "",
        Words("what this relay is to do: %1 %2", "was dieses Relais tun soll: %1 %2", "ce que ce relais doit faire : %1 %2"),
        Words("Asked as soon as something is new that stands in it. Blocks beside it do nothing.",
              "Wird gefragt, sobald etwas darin sich geändert hat. Blöcke daneben tun nichts.",
              "Interrogée dès que quelque chose change. Les blocs à côté ne font rien."),
        (Statements("DO"),),
    ),
    Block(
        "turn", "rule", LAST, "",
        Words("turn %1 because %2", "%1, weil %2", "%1, parce que %2"),
        Words("The answer of the rule, and the reason that everybody gets to read.",
              "Die Antwort der Regel und der Grund, den alle zu lesen bekommen.",
              "La réponse de la règle, et la raison que tout le monde pourra lire."),
        (Choice("STATE", (("on", Words("on", "einschalten", "allumer")), ("off", Words("off", "ausschalten", "éteindre")))),
         text_place("WHY", _WHY)),
    ),
    Block(
        "keep", "rule", LAST, "",
        Words("leave it as it is, because %1", "so lassen, weil %1", "laisser tel quel, parce que %1"),
        Words("The rule's last word still holds. So it does where the blocks come to an end without an answer.",
              "Das letzte Wort der Regel gilt weiter. So ist es auch, wenn die Blöcke ohne Antwort enden.",
              "La dernière réponse reste valable. De même si les blocs se terminent sans réponse."),
        (text_place("WHY", _WHY, is_optional=True),),
    ),
)  # fmt: skip

DECIDE = (
    Block(
        "if", "decide", STATEMENT, "",
        Words("if %1 then %2", "wenn %1 dann %2", "si %1 alors %2"),
        Words("Does what stands in it when that is so.", "Tut das darin, wenn es so ist.", "Fait ce qu'il contient si c'est le cas."),
        (condition_place("IF"), Statements("THEN")),
    ),
    Block(
        "if_else", "decide", STATEMENT, "",
        Words("if %1 then %2 else %3", "wenn %1 dann %2 sonst %3", "si %1 alors %2 sinon %3"),
        Words("Does one or the other.", "Tut das eine oder das andere.", "Fait l'un ou l'autre."),
        (condition_place("IF"), Statements("THEN"), Statements("ELSE")),
    ),
    Block(
        "if_elif_else", "decide", STATEMENT, "",
        Words("if %1 then %2 else if %3 then %4 else %5", "wenn %1 dann %2 sonst wenn %3 dann %4 sonst %5",
              "si %1 alors %2 sinon si %3 alors %4 sinon %5"),
        Words("Does the first that applies.", "Tut das Erste, das zutrifft.", "Fait le premier qui s'applique."),
        (condition_place("IF"), Statements("THEN"), condition_place("ELIF"), Statements("THEN2"), Statements("ELSE")),
    ),
    Block(
        "compare", "decide", VALUE, BOOLEAN,
        same("%1 %2 %3"),
        Words("Compares two numbers.", "Vergleicht zwei Zahlen.", "Compare deux nombres."),
        (number_place("A"),
         Choice("OP", tuple((word, same(sign)) for word, sign in
                            (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"), ("eq", "="), ("ne", "≠")))),
         number_place("B")),
    ),
    Block(
        "between", "decide", VALUE, BOOLEAN,
        Words("%1 is from %2 to below %3", "%1 ist von %2 bis unter %3", "%1 va de %2 à moins de %3"),
        Words("So from the first number on, and no more at the second.", "So ab der ersten Zahl, und bei der zweiten nicht mehr.",
              "À partir du premier nombre, et plus au second."),
        (number_place("A"), number_place("FROM"), number_place("TO", 100)),
    ),
    Block(
        "both", "decide", VALUE, BOOLEAN,
        same("%1 %2 %3"),
        Words("Whether both, or at least one of them, are so.", "Ob beides, oder mindestens eines, so ist.",
              "Si les deux, ou au moins l'un des deux, sont vrais."),
        (condition_place("A"), Choice("OP", (("and", Words("and", "und", "et")), ("or", Words("or", "oder", "ou")))), condition_place("B")),
    ),
    Block(
        "not", "decide", VALUE, BOOLEAN,
        Words("not %1", "nicht %1", "pas %1"),
        Words("The opposite.", "Das Gegenteil.", "Le contraire."),
        (condition_place("A"),),
    ),
    Block(
        "boolean", "decide", VALUE, BOOLEAN,
        same("%1"),
        Words("Always, or never.", "Immer oder nie.", "Toujours, ou jamais."),
        (Choice("BOOL", (("true", Words("always", "immer", "toujours")), ("false", Words("never", "nie", "jamais")))),),
    ),
    Block(
        "text_is", "decide", VALUE, BOOLEAN,
        same("%1 %2 %3"),
        Words("Compares two texts.", "Vergleicht zwei Texte.", "Compare deux textes."),
        (text_place("A"),
         Choice("OP", (("eq", Words("is", "ist", "est")), ("ne", Words("is not", "ist nicht", "n'est pas")))),
         text_place("B")),
    ),
)  # fmt: skip

NUMBERS = (
    Block(
        "number", "number", VALUE, NUMBER,
        same("%1"),
        Words("A number.", "Eine Zahl.", "Un nombre."),
        (Amount("NUM", -_MOST, _MOST, 0),),
    ),
    Block(
        "duration", "number", VALUE, NUMBER,
        same("%1 %2"),
        Words("As seconds.", "In Sekunden.", "En secondes."),
        (Amount("NUM", 0, _A_DAY, 5),
         Choice("UNIT", (("min", same("min")), ("h", same("h")), ("s", same("s"))))),
    ),
    Block(
        "arithmetic", "number", VALUE, NUMBER,
        same("%1 %2 %3"),
        Words("What cannot be divided makes the rule lost.", "Was sich nicht teilen lässt, macht die Regel verloren.",
              "Une division impossible rend la règle perdue."),
        (number_place("A"),
         Choice("OP", (
             ("add", same("+")), ("subtract", same("-")), ("multiply", same("·")),
             ("divide", same("÷")), ("remainder", Words("remainder of ÷", "Rest von ÷", "reste de ÷")),
         )),
         number_place("B")),
    ),
    Block(
        "one_of_two", "number", VALUE, NUMBER,
        Words("the %1 of %2 and %3", "%1 von %2 und %3", "%1 de %2 et %3"),
        Words("One of two numbers.", "Eine von zwei Zahlen.", "L'un de deux nombres."),
        (Choice("WHAT", (("min", Words("smaller", "kleinere", "le plus petit")), ("max", Words("greater", "größere", "le plus grand")))),
         number_place("A"), number_place("B")),
    ),
    Block(
        "rounded", "number", VALUE, NUMBER,
        same("%2 %1"),
        Words("A number made simpler.", "Eine vereinfachte Zahl.", "Un nombre simplifié."),
        (Choice("WHAT", (("round", Words("rounded", "gerundet", "arrondi")), ("abs", Words("without its sign", "ohne Vorzeichen",
               "sans son signe")))),
         number_place("A")),
    ),
    Block(
        "choose_number", "number", VALUE, NUMBER,
        Words("if %1 then %2 else %3", "wenn %1 dann %2 sonst %3", "si %1 alors %2 sinon %3"),
        Words("One number or the other.", "Die eine Zahl oder die andere.", "Un nombre ou l'autre."),
        (condition_place("IF"), number_place("THEN"), number_place("ELSE")),
    ),
)  # fmt: skip

TEXTS = (
    Block(
        "text", "text", VALUE, TEXT,
        Words("“%1”", "„%1“", "« %1 »"),
        Words("A text.", "Ein Text.", "Un texte."),
        (Written("TEXT", "text"),),
    ),
    Block(
        "join", "text", VALUE, TEXT,
        Words("%1 and %2", "%1 und %2", "%1 et %2"),
        Words("One after the other, with nothing between them.", "Eins nach dem anderen, ohne etwas dazwischen.",
              "L'un après l'autre, sans rien entre les deux."),
        (text_place("A", Words("the battery is at ", "die Batterie hat ", "la batterie est à "), also=(NUMBER,)),
        text_place("B", also=(NUMBER,))),
    ),
    Block(
        "join3", "text", VALUE, TEXT,
        Words("%1 and %2 and %3", "%1 und %2 und %3", "%1 et %2 et %3"),
        Words("One after the other, with nothing between them.", "Eins nach dem anderen, ohne etwas dazwischen.",
              "L'un après l'autre, sans rien entre eux."),
        (text_place("A", Words("the battery is at ", "die Batterie hat ", "la batterie est à "), also=(NUMBER,)),
         text_place("B", also=(NUMBER,)), text_place("C", same(" %"), also=(NUMBER,))),
    ),
    Block(
        "number_text", "text", VALUE, TEXT,
        Words("%1 with %2 decimals", "%1 mit %2 Nachkommastellen", "%1 avec %2 décimales"),
        Words("A number as people read it.", "Eine Zahl, wie man sie liest.", "Un nombre comme on le lit."),
        (number_place("A"), Choice("DECIMALS", tuple((digit, same(digit)) for digit in "10234"))),
    ),
    Block(
        "choose_text", "text", VALUE, TEXT,
        Words("if %1 then %2 else %3", "wenn %1 dann %2 sonst %3", "si %1 alors %2 sinon %3"),
        Words("One text or the other.", "Der eine Text oder der andere.", "Un texte ou l'autre."),
        (condition_place("IF"), text_place("THEN"), text_place("ELSE")),
    ),
)  # fmt: skip

VARIABLES = (
    Block(
        "variables_set", "variable", STATEMENT, "",
        Words("let %1 be %2", "%1 sei %2", "%1 devient %2"),
        Words("For the blocks that follow; forgotten when the rule is asked again.",
              "Für die Blöcke danach; vergessen, wenn die Regel neu gefragt wird.",
              "Pour les blocs suivants ; oubliée quand la règle est interrogée à nouveau."),
        (OfVariable("VAR"), Value("VALUE", _ALL)),
    ),
    Block(
        "variables_get", "variable", VALUE, "",
        same("%1"),
        Words("What it was set to above.", "Was es weiter oben geworden ist.", "Ce qu'elle est devenue plus haut."),
        (OfVariable("VAR"),),
    ),
)  # fmt: skip
