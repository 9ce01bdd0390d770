"""What the fields of VE.Direct become: SI units, numbers of enumerations, words."""

import pytest

from pimains.vedirect.plan import fields, words
from tests.vedirect.devices import ALL


@pytest.mark.parametrize(
    ("label", "text", "value"),
    [
        ("V", "12834", "12.834"),
        ("VPV", "0", "0.000"),
        ("VS", "-5", "-0.005"),
        ("I", "-1520", "-1.520"),
        ("P", "-23", "-23"),
        ("PPV", "412", "412"),
        ("CE", "-131099", "-131.099"),
        ("SOC", "876", "87.6"),
        ("DM", "-12", "-1.2"),
        ("TTG", "240", "14400"),
        ("T", "-3", "-3"),
        ("H6", "-2994109", "-2994.109"),
        ("H8", "28927", "28.927"),
        ("H9", "92538", "92538"),
        ("H17", "15636", "156360"),
        ("H20", "77", "770"),
        ("H21", "479", "479"),
        ("AC_OUT_V", "23011", "230.11"),
        ("AC_OUT_I", "1", "0.1"),
    ],
)
def test_numbers_are_in_si_units(label: str, text: str, value: str) -> None:
    assert fields.published(label, text) == {label: value}


@pytest.mark.parametrize(
    ("label", "text", "number", "meaning"),
    [
        ("CS", "0", "0", "off"),
        ("CS", "1", "1", "low power"),
        ("CS", "2", "2", "fault"),
        ("CS", "3", "3", "bulk"),
        ("CS", "4", "4", "absorption"),
        ("CS", "5", "5", "float"),
        ("CS", "6", "6", "storage"),
        ("CS", "7", "7", "equalize (manual)"),
        ("CS", "9", "9", "inverting"),
        ("CS", "11", "11", "power supply"),
        ("CS", "245", "245", "starting up"),
        ("CS", "247", "247", "auto equalize"),
        ("CS", "252", "252", "external control"),
        ("CS", "77", "77", "unknown (77)"),
        ("MPPT", "2", "2", "tracking the maximum"),
        ("MODE", "5", "5", "eco"),
        ("ERR", "0", "0", "no error"),
        ("ERR", "17", "17", "charger too hot"),
        ("AR", "0", "0", "no alarm"),
        ("AR", "5", "5", "low voltage, low state of charge"),
        ("AR", "32769", "32769", "low voltage, unknown (0x8000)"),
        ("OR", "0x00000000", "0", "not off"),
        ("OR", "0x00000101", "257", "no input power, analysing its input voltage"),
        ("Relay", "ON", "1", "on"),
        ("Relay", "Off", "0", "off"),
        ("LOAD", "OFF", "0", "off"),
        ("MON", "-9", "-9", "unknown (-9)"),
    ],
)
def test_enumerations_are_numbers_with_words_beside_them(label: str, text: str, number: str, meaning: str) -> None:
    assert fields.is_well_formed(label, text)
    assert fields.published(label, text) == {label: number, f"{label}.words": meaning}


@pytest.mark.parametrize(("label", "text"), [("SOC", "---"), ("T", "---"), ("TTG", "---"), ("TTG", "-1")])
def test_what_is_not_known_is_no_value(label: str, text: str) -> None:
    """Scenario 11."""
    assert fields.is_well_formed(label, text)
    assert fields.published(label, text) == {label: None}
    assert fields.why_not_known(label, text) == ("infinite" if text == "-1" else "---")


def test_an_enumeration_that_is_not_known_is_no_value() -> None:
    assert fields.published("CS", "---") == {"CS": None, "CS.words": None}


@pytest.mark.parametrize("label", ["../status", "status", "unwell", "error", ".x", "a/b", "x" * 33, "X.words", ""])
def test_a_label_that_can_be_no_file_of_its_own_is_not_passed_on(label: str) -> None:
    assert fields.published(label, "1") == {}


def test_other_unknown_labels_are_passed_on_as_they_are() -> None:
    assert fields.published("SER#", "HQ9999ABCDE") == {"SER#": "HQ9999ABCDE"}
    assert fields.published("PID", "0xA053") == {"PID": "0xA053"}
    assert fields.published("NEW1", "12-10") == {"NEW1": "12-10"}


@pytest.mark.parametrize("name", ALL)
def test_every_field_of_every_device_is_well_formed_and_published(name: str) -> None:
    for kind in ALL[name]:
        for label, text in kind:
            assert fields.is_well_formed(label, text), (label, text)
            assert label in fields.published(label, text)


@pytest.mark.parametrize(
    ("pid", "model", "kind"),
    [
        ("0xA381", "712 Smart", "BMV-712 Smart"),
        ("0xA389", "SmartShunt 500A/50mV", "SmartShunt 500A/50mV"),
        ("0x203", "", "battery monitor"),
        ("0xA053", "", "solar charger"),
        ("0x300", "", "solar charger"),
        ("0xA231", "", "inverter"),
        ("0xA331", "", "charger"),
        ("0xFFFF", "", "device"),
        ("", "", "device"),
    ],
)
def test_a_device_is_called_by_what_it_is(pid: str, model: str, kind: str) -> None:
    assert words.kind(pid, model) == kind
