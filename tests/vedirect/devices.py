"""What real devices send, written anew in the shapes of captures that their owners have published: labels, their order, kinds of blocks.

Each is named by model and firmware; the values are made up. A device sends its blocks in turn.
"""

from pimains.house.victron import block

SMARTSHUNT_500_FW_0414 = (
    "PID 0xA389|V 53509|I 23866|P 1277|CE -131099|SOC 548|TTG -1|Alarm OFF|AR 0|BMV SmartShunt 500A/50mV|FW 0414|MON 0",
    "H1 -276495|H2 -238319|H3 -136881|H4 3|H5 0|H6 -2994109|H7 50422|H8 55353|H9 163633|H10 2|H11 0|H12 0|H15 0|H16 0|H17 15636|H18 16783",
)
BMV_712_FW_0413 = (
    "PID 0xA381|V 13720|VS 13357|I 0|P 0|CE 0|SOC 1000|TTG -1|Alarm OFF|Relay OFF|AR 0|BMV 712 Smart|FW 0413|MON 0",
    "H1 -1252|H2 0|H3 0|H4 0|H5 0|H6 -3155|H7 28|H8 14449|H9 0|H10 0|H11 0|H12 0|H15 22|H16 14453|H17 3|H18 3",
)
BMV_600_FW_212 = (  # no product id, On and Off
    "V 12800|VS 12700|I 15|CE -13|SOC 998|TTG -1|Alarm Off|Relay Off|AR 0|BMV 602S|FW 212",
    "H1 -102738|H2 -1|H3 -102738|H4 1|H5 0|H6 -205476|H7 1|H8 28927|H9 92538|H10 1|H11 0|H12 0|H13 0|H14 0|H15 -5|H16 28900",
)
MPPT_75_15_FW_150 = (
    "PID 0xA053|FW 150|SER# HQ9999ABCDE|V 12000|I 0|VPV 10|PPV 0|CS 0|MPPT 0|OR 0x00000001|ERR 0|LOAD OFF|IL 0"
    "|H19 10206|H20 0|H21 0|H22 2|H23 8|HSDS 279",
)
MPPT_150_70_FW_162 = (  # two kinds, and HEX messages right behind the second one's checksum
    "PID 0xA06B|FW 162|SER# HQ9999FGHIJ|V 52710|I 7600|VPV 104010|PPV 412|MPPT 2|CS 3|OR 0x00000000",
    "ERR 0|LOAD ON|Relay OFF|H19 1158|H20 77|H21 479|H22 135|H23 525|HSDS 2",
)
MPPT_150_35_FW_164 = (  # without IL
    "PID 0xA058|FW 164|SER# HQ9999KLMNO|V 52550|I 0|VPV 71350|PPV 3|CS 3|MPPT 2|OR 0x00000000|ERR 0|LOAD OFF"
    "|H19 154381|H20 807|H21 1528|H22 849|H23 1459|HSDS 218",
)
PHOENIX_12_500_FW_0126 = (
    "PID 0xA231|FW 0126|SER# HQ9999PQRST|MODE 2|CS 9|AC_OUT_V 23011|AC_OUT_I 1|AC_OUT_S 23|V 12800|AR 0|WARN 0|OR 0x00000000",
)
ALL = {
    name: [[(label, value) for label, _, value in (each.partition(" ") for each in kind.split("|"))] for kind in kinds]
    for name, kinds in list(globals().items())
    if name.isupper() and isinstance(kinds, tuple)
}


def sent(name: str, times: int = 1) -> bytes:
    """Its blocks in turn, so many times."""
    return b"".join(block(kind) for kind in ALL[name]) * times
